"""`churnwatch console`: a web application for the people who work with the alerts."""

from typing import Annotated

import typer

from churnwatch.settings_load import load_settings


def console(
    *,
    host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Where it is served.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, metavar="PORT", help="On which port.")] = None,
) -> None:
    """Serve the console: alerts to work on, customers, what is at stake today. Ctrl-C ends it.

    It reads what the system keeps and writes nothing but what people report, to `churn.outcomes`. Without CHURNWATCH_CONSOLE_TOKEN it
    makes up a token and shows the address to open.

    Try:

    - `churnwatch console`

    - `CHURNWATCH_CONSOLE_TOKEN=… CHURNWATCH_CONSOLE_READER_TOKEN=… churnwatch console --host 0.0.0.0 --port 8080`
    """
    given = {"console_host": host, "console_port": port}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    from churnwatch.console_serve import run_console

    raise typer.Exit(run_console(settings))
