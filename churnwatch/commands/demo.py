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
    no_console: Annotated[
        bool,
        typer.Option(
            "--no-console", help="End without the console. On a terminal it is served at the end, until Ctrl-C."
        ),
    ] = False,
    serve: Annotated[
        int | None,
        typer.Option(min=1, metavar="SECONDS", help="Serve it for so long, terminal or not, and then end."),
    ] = None,
) -> None:
    """Publish a real log of orders, watch the customers fall silent, and see who was warned about, and why.

    Starts a Kafka and a Redis of its own, and takes everything down again at the end, also on Ctrl-C. At the end the console shows
    all of it in a browser, for as long as you like; where the output is no terminal, the demo ends by itself.

    Try:

    - `churnwatch demo`

    - `churnwatch demo --services real`

    - `churnwatch demo --no-console`

    - `churnwatch demo --serve 600 >demo.txt`
    """
    settings = load_settings()
    from churnwatch.demo import DemoOptions, run_demo
    from churnwatch.demo_console import seconds_to_serve

    seconds = seconds_to_serve(console=not no_console, seconds=serve)
    raise typer.Exit(run_demo(settings, DemoOptions(services=services, serve_seconds=seconds)))
