"""The command line: `churnwatch …`. What every command shares stands here: exit codes, errors in one line, Ctrl-C.

Exit codes: 0 done; 1 it failed (one line says why and what to do); 2 wrong usage; 130 interrupted (Ctrl-C, SIGTERM).
"""

import gc
import logging
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from churnwatch.commands import (
    alerts,
    backtest,
    bi,
    bootstrap,
    config,
    console,
    customer,
    deliver,
    demo,
    dlq,
    doctor,
    export,
    forget,
    kpi,
    model,
    playbook,
    publish,
    topics,
    uplift,
    version,
    worker,
)
from churnwatch.settings_load import load_settings
from churnwatch.settings_sources import CONFIG_VARIABLE
from churnwatch.terminal import note
from streams.errors import ChurnwatchError, ConfigError

DEBUG_VARIABLE = "CHURNWATCH_DEBUG"
LONG_RUNNING = {"worker", "deliver", "bi", "console", "demo"}
"""They set up logging themselves."""

app = typer.Typer(
    name="churnwatch",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(
    epilog="Start with `churnwatch demo`. Settings are environment variables CHURNWATCH_… (`churnwatch config show`)."
)
def root(
    context: typer.Context,
    *,
    config_file: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="A TOML file with settings; the environment goes before it."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback where a command fails.")] = False,
) -> None:
    """Hear the customers who say nothing: early warning of churn from Kafka events."""
    # Through the environment, so that processes started from here read the same.
    if config_file is not None:
        os.environ[CONFIG_VARIABLE] = str(config_file)
    if debug:
        os.environ[DEBUG_VARIABLE] = "on"
    if not debugging() and context.invoked_subcommand not in LONG_RUNNING:
        # The clients log every failed attempt; a command says it once, in one line.
        logging.disable(logging.CRITICAL)


app.command("demo")(demo.demo)
app.command("worker")(worker.worker)
app.command("backtest")(backtest.backtest)
app.command("bootstrap")(bootstrap.bootstrap)
app.command("publish")(publish.publish)
app.add_typer(topics.app, name="topics")
app.command("customer")(customer.customer)
app.command("alerts")(alerts.alerts)
app.command("console")(console.console)
app.command("deliver")(deliver.deliver)
app.add_typer(bi.app, name="bi")
app.add_typer(dlq.app, name="dlq")
app.command("kpi")(kpi.kpi)
app.command("export")(export.export)
app.add_typer(model.app, name="model")
app.add_typer(playbook.app, name="playbook")
app.add_typer(config.app, name="config")
app.command("forget")(forget.forget)
app.command("doctor")(doctor.doctor)
app.command("uplift")(uplift.uplift)
app.command("version")(version.version)


def debugging() -> bool:
    """Whether tracebacks are wanted."""
    try:
        return load_settings().debug
    except ConfigError:
        return os.environ.get(DEBUG_VARIABLE, "off") not in {"", "off"}


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit code."""
    try:
        app(arguments, prog_name="churnwatch")
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else 1
    except KeyboardInterrupt:
        return 130
    except ChurnwatchError as error:
        if debugging():
            traceback.print_exc()
        note(f"churnwatch: {error}")
        return 1
    except Exception as error:  # noqa: BLE001 - the last line of defence: people get a sentence, not a traceback
        if debugging():
            traceback.print_exc()
        note(f"churnwatch: unexpected {type(error).__name__}: {error}; this is a bug, --debug shows where")
        return 1
    return 0


def _on_sigterm(_: int, frame: FrameType | None) -> None:
    """Go the way of Ctrl-C, so that what a command has started is stopped with it. The worker has a way of its own."""
    on_sigint = signal.getsignal(signal.SIGINT)
    if not callable(on_sigint):  # ignored, as a shell has it for what runs in its background
        raise KeyboardInterrupt
    on_sigint(signal.SIGINT, frame)


def main() -> None:
    """Enter from the shell."""
    # One core a process: the matrices are small, and several workers share the machine. To be said before NumPy is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Hardly anything here is cyclic, and whole caches are walked for it: a sixteenth of a replay's time.
    gc.set_threshold(100_000, 50, 50)
    signal.signal(signal.SIGTERM, _on_sigterm)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
