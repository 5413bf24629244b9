"""`churnwatch model`: which model scores, how good it was, and going back to an earlier one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer

from churnwatch.commands.options import Json
from churnwatch.settings_load import load_settings
from churnwatch.terminal import say, say_json, say_table
from streams.errors import StateError
from streams.time import iso

if TYPE_CHECKING:
    from models.guide import Guide
    from models.measures import Reliability
    from models.redis_store import RedisLearnerStore
    from models.store import Head, Record

FIGURES: Final = ("auc", "rule_auc", "weekly_auc", "log_loss", "ece", "lift_10", "alarm_precision", "base_rate")
"""What the tables have room for; --json gives all."""

ECE_BINS: Final = 10

app = typer.Typer(help="See the model, its history and its quality; go back to an earlier one.", no_args_is_help=True)


@asynccontextmanager
async def _store() -> "AsyncIterator[RedisLearnerStore]":
    from churnwatch.learner_access import open_learner_store
    from churnwatch.redis_client import open_redis

    settings = load_settings()
    async with open_redis(settings) as client:
        store = open_learner_store(client, settings)
        try:
            yield store
        finally:
            await store.close()


@app.command()
def show(*, as_json: Json = False) -> None:
    """Show the model that scores now: what it has learnt, how good its predictions were, what weighs most.

    Try:

    - `churnwatch model show --json | jq .quality`
    """
    head, guide = asyncio.run(_current())
    told = _told(head, guide)
    if as_json:
        say_json(told)
        return
    pinned = " (pinned)" if head.pinned else ""
    say(f"Model {guide.version}{pinned}, learnt from {guide.examples:,} examples up to {told['learnt_until']}")
    say("It scores." if guide.ready else "Too few labels yet: alerts rest on the silence rule.")
    standing = guide.standing
    say(f"How far to trust it: {standing.verdict.words.upper()}. {standing.verdict.reason}\n")
    say_table(
        "Quality of what was said at the time, latest weeks and all",
        ("figure", "recent", "all"),
        _windows(guide.quality),
    )
    say_table("By segment, all time", ("segment", *FIGURES), _by_segment(standing.segments))
    say_table("Said and came, latest weeks", ("risk", "said", "came", "examples"), _curve(standing.reliability))
    say_table("Alert thresholds", ("segment", "risk"), _figures(guide.thresholds))


async def _current() -> "tuple[Head, Guide]":
    from models.guide import decode_guide

    async with _store() as store:
        head = await store.head()
        value = await store.guide(head.pinned or head.version)
    if value is None:
        raise StateError("there is no model yet: the first one comes when labels have matured and a worker has run")
    return head, decode_guide(value)


def _told(head: "Head", guide: "Guide") -> dict[str, object]:
    return {
        "version": guide.version,
        "newest": head.version,
        "pinned": head.pinned,
        "ready": guide.ready,
        "examples": guide.examples,
        "learnt_until": iso(guide.learnt_until_ms),
        "base_rate": guide.base_rate,
        "verdict": {"band": guide.standing.verdict.band, "reason": guide.standing.verdict.reason},
        "quality": guide.quality,
        "segments": guide.standing.segments,
        "reliability": [
            {"risk_from": point.place / ECE_BINS, "said": point.said, "came": point.came, "examples": point.examples}
            for point in guide.standing.reliability
        ],
        "thresholds": guide.thresholds,
        "value_cut": guide.value_cut,
        "kept": [version for _, version in head.guides],
    }


def _windows(quality: dict[str, float]) -> list[tuple[str, str, str]]:
    names = sorted({name.removeprefix("recent_") for name in quality})
    return [(name, _cell(quality, f"recent_{name}"), _cell(quality, name)) for name in names]


def _by_segment(segments: dict[str, dict[str, float]]) -> list[tuple[str, ...]]:
    return [(name, *(_cell(figures, figure) for figure in FIGURES)) for name, figures in segments.items()]


def _curve(points: "list[Reliability]") -> list[tuple[str, str, str, str]]:
    return [
        (f"from {point.place / ECE_BINS:.1f}", f"{point.said:.3f}", f"{point.came:.3f}", f"{point.examples:,}")
        for point in points
    ]


def _figures(figures: dict[str, float]) -> list[tuple[str, str]]:
    return [(name, f"{value:.4g}") for name, value in sorted(figures.items())]


@app.command()
def history(
    *, limit: Annotated[int, typer.Option(min=1, max=500, help="The newest so many.")] = 20, as_json: Json = False
) -> None:
    """List the newest models, oldest first, with the quality at the time; those marked `kept` can be gone back to."""
    head, records = asyncio.run(_history())
    records = records[-limit:]
    kept = {version for _, version in head.guides}
    if as_json:
        say_json({"pinned": head.pinned, "models": [_record(record, kept) for record in records]})
        return
    names = [name for name in FIGURES if any(name in record.quality for record in records)]
    rows = [
        (r.version, iso(r.learnt_until_ms), r.examples, _mark(r, head, kept), *(_cell(r.quality, n) for n in names))
        for r in records
    ]
    say_table("Models", ("version", "learnt until", "examples", "", *names), rows)


async def _history() -> "tuple[Head, list[Record]]":
    async with _store() as store:
        return await store.head(), await store.history()


def _record(record: "Record", kept: set[int]) -> dict[str, object]:
    return {
        "version": record.version,
        "learnt_until": iso(record.learnt_until_ms),
        "examples": record.examples,
        "kept": record.version in kept,
        "quality": record.quality,
    }


def _mark(record: "Record", head: "Head", kept: set[int]) -> str:
    if record.version == head.pinned:
        return "pinned"
    return "kept" if record.version in kept else ""


def _cell(quality: dict[str, float], name: str) -> str:
    return f"{quality[name]:.4g}" if name in quality else ""


@app.command()
def rollback(
    version: Annotated[
        int | None, typer.Argument(metavar="[VERSION]", help="Which; left out: the one before the newest.", min=1)
    ] = None,
    *,
    newest: Annotated[bool, typer.Option("--newest", help="Undo it: score with the newest again.")] = False,
    as_json: Json = False,
) -> None:
    """Make all workers score with an earlier model, within seconds. Learning goes on meanwhile.

    Try:

    - `churnwatch model history`, then `churnwatch model rollback 41`

    - `churnwatch model rollback --newest` to undo it
    """
    if newest and version is not None:
        raise typer.BadParameter("give a VERSION or --newest, not both")
    pinned = asyncio.run(_rollback(version, newest=newest))
    if as_json:
        say_json({"pinned": pinned})
    elif pinned is None:
        say("The newest model scores again.")
    else:
        say(f"Model {pinned} scores from now on; `churnwatch model rollback --newest` undoes it.")


async def _rollback(version: int | None, *, newest: bool) -> int | None:
    async with _store() as store:
        if not newest and version is None:
            head = await store.head()
            earlier = [kept for _, kept in head.guides if kept < (head.pinned or head.version)]
            if not earlier:
                raise StateError("there is no earlier model to go back to; see `churnwatch model history`")
            version = earlier[-1]
        await store.set_pinned(None if newest else version)
    return None if newest else version
