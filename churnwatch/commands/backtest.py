"""`churnwatch backtest`: what the system would have said, had it been there."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnwatch.commands.options import Files, Json
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from churnwatch.terminal import note, progress, say, say_json, say_table
from streams.errors import ConfigError
from streams.time import iso

if TYPE_CHECKING:
    from churnwatch.backtest import Backtest
    from models.guide import Guide
    from models.learner import Learner


def backtest(
    files: Files,
    *,
    alerts_file: Annotated[
        Path | None, typer.Option("--alerts", metavar="FILE", help="Write the alerts there, as JSON Lines.")
    ] = None,
    model_out: Annotated[
        Path | None,
        typer.Option("--save-model", metavar="FILE", help="Write the last model there, for CHURNWATCH_MODEL_FILE."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Replay event files through the worker's own pipeline, without Kafka and Redis, and sum up what it would have said.

    It learns as it goes, and scores each customer only with what was known at the time. A frozen model
    (CHURNWATCH_MODEL_FILE, with CHURNWATCH_LEARNING_ENABLED=off) is used instead where one is set.

    Try:

    - `churnwatch backtest data/cdnow.jsonl.gz --alerts alerts.jsonl`

    - `CHURNWATCH_ALERT_DAILY_BUDGET=10 churnwatch backtest events.jsonl.zst --json | jq .quality`
    """
    settings = load_settings()
    result = _replay(settings, files, _frozen(settings))
    if alerts_file is not None:
        _write_alerts(alerts_file, result)
    if model_out is not None:
        _write_model(model_out, result)
    told = _told(result)
    if as_json:
        say_json(told)
    else:
        _draw(told, result)


def _frozen(settings: Settings) -> "Guide | None":
    from models.guide import decode_guide

    path = settings.model_file
    if path is None:
        return None
    try:
        return decode_guide(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"CHURNWATCH_MODEL_FILE={path}: {error.strerror}; name a file of --save-model") from error


def _replay(settings: Settings, files: list[Path], frozen: "Guide | None") -> "Backtest":
    from churnwatch.backtest import replay

    began_seconds = time.monotonic()
    with progress("Backtest") as update:

        def moved(result: "Backtest", clock_ms: int, _: "Learner") -> None:
            read = result.events["read"]
            rate = read / max(time.monotonic() - began_seconds, 1e-9)
            at = iso(clock_ms)[:10] if clock_ms > 0 else "the beginning"
            examples, alerts = len(result.examples), len(result.alerts)
            update(read, f"{read:,} events ({rate:,.0f}/s), at {at}, {examples:,} examples, {alerts:,} alerts")

        now_ms = time.time_ns() // 1_000_000
        return asyncio.run(replay(settings, files, now_ms=now_ms, frozen=frozen, progress=moved))


def _told(result: "Backtest") -> dict[str, Any]:
    alerts = result.alerts
    return {
        "events": dict(result.events),
        "first": iso(result.first_ms),
        "last": iso(result.last_ms),
        "seconds": round(result.seconds, 3),
        "examples": len(result.examples),
        "quality": result.quality,
        "alerts": {
            "total": len(alerts),
            "kind": dict(Counter(alert.kind for alert in alerts)),
            "band": dict(Counter(alert.band for alert in alerts)),
            "segment": dict(Counter(alert.segment for alert in alerts)),
            "reason": dict(Counter(alert.reasons[0].code for alert in alerts if alert.reasons)),
        },
        "model": None if result.guide is None else {"version": result.guide.version, "examples": result.guide.examples},
    }


def _draw(told: dict[str, Any], result: "Backtest") -> None:
    outcomes = ", ".join(f"{count:,} {outcome.replace('_', '-')}" for outcome, count in told["events"].items())
    say(f"{told['first']} to {told['last']}: {outcomes} events, in {result.seconds:.1f} s")
    say(f"{told['examples']:,} labelled examples")
    if result.quality:
        figures = [(name, f"{value:.4g}") for name, value in result.quality.items()]
        say_table("Quality of what was said at the time", ("figure", "value"), figures)
    alerts = told["alerts"]
    rows = [(by, what, n) for by in ("kind", "band", "segment", "reason") for what, n in sorted(alerts[by].items())]
    say_table(f"Alerts: {alerts['total']:,}", ("by", "", "alerts"), rows)


def _write_alerts(path: Path, result: "Backtest") -> None:
    from alerts.alert import encode

    try:
        with path.open("wb") as file:
            file.writelines(encode(alert) + b"\n" for alert in result.alerts)
    except OSError as error:
        raise ConfigError(f"--alerts {path}: {error.strerror}; name a file that can be written") from error
    note(f"{len(result.alerts):,} alerts written to {path}")


def _write_model(path: Path, result: "Backtest") -> None:
    from models.guide import encode_guide

    if result.guide is None:
        return
    try:
        path.write_bytes(encode_guide(result.guide))
    except OSError as error:
        raise ConfigError(f"--save-model {path}: {error.strerror}; name a file that can be written") from error
    note(f"model {result.guide.version} written to {path}")
