"""`churnwatch worker`: take in events until told to stop."""

from typing import Annotated

import typer

from churnwatch.commands.options import instant_ms
from churnwatch.settings_load import load_settings


def worker(
    *,
    replay_until: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT", help="Run on the events' own time, up to here (1998-07-01T00:00:00Z), then end."
        ),
    ] = None,
    web_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, metavar="PORT", help="Where /metrics, /healthz and /readyz are served."),
    ] = None,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Take in events, keep every customer's state, raise alerts. Run as many side by side as there are partitions.

    SIGTERM and Ctrl-C finish what is under way and end with 0.

    Try:

    - `churnwatch worker`

    - `CHURNWATCH_KAFKA_BOOTSTRAP=kafka:9092 CHURNWATCH_REDIS_URL=redis://redis:6379/0 churnwatch worker`

    - `churnwatch worker --replay-until 1998-07-01T00:00:00Z` after publishing a log of the past
    """
    overrides: dict[str, object] = {}
    if replay_until is not None:
        overrides |= {"clock": "replay", "replay_until_ms": instant_ms(replay_until)}
    if web_port is not None:
        overrides |= {"web_port": web_port}
    settings = load_settings(**overrides)
    from churnwatch.playbook_file import playbook_in_force

    # Found out now, and not with the first partition, once Kafka has answered.
    playbook_in_force(settings.playbook_file)
    from churnwatch.app import run_worker

    raise typer.Exit(run_worker(settings, with_parent=with_parent))
