"""`churnwatch backtest`: what the system would have said, had it been there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnwatch.backtest_frames import JOBS_MAX
from churnwatch.commands.options import Files, Json, instant_ms, span_ms
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from churnwatch.terminal import note, progress, say_json
from streams.errors import ConfigError

if TYPE_CHECKING:
    from churnwatch.backtest import Backtest
    from churnwatch.backtest_summary import Judged

QUESTION = "The question, for this run"
EVALUATION = "What is evaluated"
FILES = "Files to write"
WORK = "How it works"

Span = str | None
Horizon = Annotated[
    Span,
    typer.Option(
        metavar="SPAN",
        help="Churned means: no order for so long (60d). [default: CHURNWATCH_HORIZON]",
        rich_help_panel=QUESTION,
    ),
]
Active = Annotated[
    Span,
    typer.Option(
        metavar="SPAN",
        help="Asked about is who has ordered within it (90d). [default: CHURNWATCH_ACTIVE]",
        rich_help_panel=QUESTION,
    ),
]
Snapshot = Annotated[
    Span,
    typer.Option(
        metavar="SPAN", help="How often it is asked (7d). [default: CHURNWATCH_SNAPSHOT]", rich_help_panel=QUESTION
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        metavar="N",
        help="About so many alerts a day. [default: CHURNWATCH_ALERT_DAILY_BUDGET]",
        rich_help_panel=QUESTION,
    ),
]
BurnIn = Annotated[
    str,
    typer.Option(
        metavar="SPAN",
        help="Nothing said so soon after the log's first event is evaluated.",
        rich_help_panel=EVALUATION,
    ),
]
EvaluateFrom = Annotated[
    str,
    typer.Option(
        metavar="half|start|DATE",
        help="Evaluated is what was said from here on: in the second half of the log, in all of it, or since a date.",
        rich_help_panel=EVALUATION,
    ),
]
Predictions = Annotated[
    Path | None, typer.Option(metavar="FILE.csv", help="Write every scored snapshot there.", rich_help_panel=FILES)
]
Report = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.html",
        help="Write a page for people there: how good it was, and when, and what else might have been.",
        rich_help_panel=FILES,
    ),
]
Alerts = Annotated[
    Path | None,
    typer.Option("--alerts", metavar="FILE", help="Write the alerts there, as JSON Lines.", rich_help_panel=FILES),
]
SaveModel = Annotated[
    Path | None,
    typer.Option(
        "--save-model",
        metavar="FILE",
        help="Write the last model there, for CHURNWATCH_MODEL_FILE.",
        rich_help_panel=FILES,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=JOBS_MAX,
        metavar="N",
        help="So many processes share the customers. The answers are the same for any number; each takes 120 MB and room for its "
        "customers, so take fewer where memory is short. [default: one a processor, 1 for a small log]",
        rich_help_panel=WORK,
    ),
]


def backtest(
    files: Files,
    *,
    horizon: Horizon = None,
    active: Active = None,
    snapshot: Snapshot = None,
    budget: Budget = None,
    burn_in: BurnIn = "84d",
    evaluate_from: EvaluateFrom = "half",
    predictions: Predictions = None,
    report: Report = None,
    alerts_file: Alerts = None,
    model_out: SaveModel = None,
    jobs: Jobs = None,
    as_json: Json = False,
) -> None:
    """Replay event files through the worker's own pipeline, without Kafka and Redis, and sum up what it would have said.

    It learns as it goes, and scores each customer only with what was known at the time. Then it holds what was said against what
    came. A frozen model (CHURNWATCH_MODEL_FILE, with CHURNWATCH_LEARNING_ENABLED=off) is used instead where one is set. All processors
    share the work of a large log (--jobs).

    Try:

    - `churnwatch backtest data/cdnow.jsonl.gz --report cdnow.html` for a page to read or print

    - `churnwatch backtest events.jsonl.zst --horizon 28d --active 56d --budget 10 --json | jq .quality`

    - `churnwatch backtest data/cdnow.jsonl.gz --predictions scores.csv --alerts alerts.jsonl`
    """
    since = since_of(evaluate_from)
    burn_in_ms = span_ms("--burn-in", burn_in)
    settings = settings_of(horizon, active, snapshot, budget)
    from churnwatch.backtest_rows import write_predictions
    from churnwatch.backtest_run import jobs_for, run
    from churnwatch.backtest_summary import summary
    from churnwatch.backtest_told import draw

    judged = run(settings, files, since, burn_in_ms, jobs=jobs or jobs_for(files))
    told = summary(judged)
    if predictions is not None:
        write_predictions(predictions, judged.rows)
        note(f"{len(judged.rows):,} scored snapshots written to {predictions}")
    if alerts_file is not None:
        _write_alerts(alerts_file, judged.result)
    if model_out is not None:
        _write_model(model_out, judged.result)
    if report is not None:
        _write_report(report, judged, told, settings)
    if as_json:
        say_json(told)
    else:
        draw(told, settings)


def since_of(text: str) -> str | int:
    """Read `--evaluate-from`: half, start, or an instant in epoch milliseconds."""
    return text if text in {"half", "start"} else instant_ms(text if "T" in text else f"{text}T00:00:00Z")


def settings_of(horizon: Span, active: Span, snapshot: Span, budget: float | None) -> Settings:
    """The settings, with what the options of this run say instead."""
    spans = {"horizon": horizon, "active": active, "snapshot": snapshot}
    asked: dict[str, Any] = {f"{name}_ms": span_ms(f"--{name}", text) for name, text in spans.items() if text}
    return load_settings(**asked, **({} if budget is None else {"alert_daily_budget": budget}))


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


def _write_report(path: Path, judged: "Judged", told: dict[str, Any], settings: Settings) -> None:
    from churnwatch.report.page import page
    from churnwatch.report.story import tell

    with progress("Report") as update:
        text = page(tell(judged, told, settings, update))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--report {path}: {error.strerror}; name a file that can be written") from error
    note(f"report written to {path}: open it in a browser, or print it")
