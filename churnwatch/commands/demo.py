"""`churnwatch demo`: the whole system on a real log, on this machine, in a few minutes."""

from typing import Annotated, Literal

import typer

from churnwatch.settings_load import load_settings


def demo(
    *,
    services: Annotated[
        Literal["auto", "real", "embedded"],
        typer.Option(
            envvar="SERVICES",
            help="What to run on: real servers, embedded ones that need nothing installed, or the best there is (auto).",
        ),
    ] = "auto",
) -> None:
    """Publish a real log of orders, watch the customers fall silent, and see who was warned about, and why.

    Starts a Kafka and a Redis of its own, and takes everything down again at the end, also on Ctrl-C.

    Try:

    - `churnwatch demo`

    - `churnwatch demo --services real`
    """
    settings = load_settings()
    from churnwatch.demo import DemoOptions, run_demo

    raise typer.Exit(run_demo(settings, DemoOptions(services=services)))
