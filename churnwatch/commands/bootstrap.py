"""`churnwatch bootstrap`: begin with the history, as if the system had run all along."""

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from churnwatch.commands.options import Files, Json, instant_ms
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from churnwatch.terminal import note, progress, say, say_json, say_table
from streams.time import DAY_MS, iso

if TYPE_CHECKING:
    from churnwatch.bootstrap import Summary

OLD_DAYS: Final = 2
"""Behind the present by more than this, the files' end is worth a remark."""


def bootstrap(
    files: Files,
    *,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT",
            help="Take events before it from the files, later ones from the topics (2026-03-01T00:00:00Z).",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete the state that the namespace holds; stop its workers first.")
    ] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave bad lines out and count them.")] = False,
    allow_gap: Annotated[
        bool, typer.Option("--allow-gap", help="Go on where Kafka may have deleted what the files do not hold.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Begin with the history: replay event files at full speed, fill Redis and the model, and hand over to the live topics.

    Afterwards workers go on as if they had run all along: they know the customers, their open episodes, and a model with its
    quality. Nobody is told of alerts of the past. Run it before the first worker; a worker that runs already waits until it is done.

    Each event counts once, though files and topics overlap: it is known by its `event_id`. Where the ids in the files are not those
    in the topics, or for a clean cut, give `--until`. Interrupted, it leaves nothing that a worker would go on from: run it again.

    Try:

    - `churnwatch topics create && churnwatch bootstrap orders.jsonl.gz logins.jsonl.gz && churnwatch worker`

    - `churnwatch bootstrap history/*.jsonl.zst --until 2026-03-01T00:00:00Z --json`
    """
    until_ms = None if until is None else instant_ms(until)
    if until_ms is not None and until_ms > time.time_ns() // 1_000_000:
        raise typer.BadParameter("--until is in the future; the files must hold all that has happened before it")
    from churnwatch.bootstrap import Options, bootstrap

    settings = load_settings()
    options = Options(until_ms, replace, skip_bad, allow_gap)
    with progress("Bootstrap") as update:
        try:
            summary = asyncio.run(bootstrap(settings, files, options, update))
        except KeyboardInterrupt:
            note("interrupted: what was begun is not handed over, and workers wait for it; run the same command again")
            raise
    told = _told(settings, summary)
    if as_json:
        say_json(told)
    else:
        _draw(told, summary)
    for line in _remarks(settings, summary):
        note(line)


def _told(settings: Settings, summary: "Summary") -> dict[str, Any]:
    checked, history = summary.checked, summary.history
    guide = history.guides[-1] if history.guides else None
    begins: dict[str, dict[str, int]] = {}
    for tp, place in sorted(summary.places.items()):
        begins.setdefault(tp.topic, {})[str(tp.partition)] = place.offset
    return {
        "namespace": settings.redis_namespace,
        "released_only": summary.only_released,
        "partitions": summary.partitions,
        "events": dict(history.events),
        "skipped": checked.skipped,
        "left_to_the_topics": checked.after,
        "first": iso(checked.first_ms) if checked.events else None,
        "last": None if checked.last_ms is None else iso(checked.last_ms),
        "customers": summary.customers,
        "open_episodes": summary.open_episodes,
        "alerts_withheld": history.withheld,
        "scores": len(history.scores),
        "examples": history.examples,
        "model": None if guide is None else {"version": guide.version, "examples": guide.examples},
        "quality": {} if history.learner is None else history.learner.quality(),
        "topics_begin_at": begins,
        "passed_over": sum(place.passed_over for place in summary.places.values()),
        "gaps": list(summary.gaps),
        "seconds": round(summary.seconds, 3),
    }


def _draw(told: dict[str, Any], summary: "Summary") -> None:
    if summary.only_released:
        say(
            "An earlier bootstrap had written everything; it is handed over now. No file was read (--replace begins anew)."
        )
        say("Next: `churnwatch worker`, as many as you like.")
        return
    outcomes = ", ".join(f"{count:,} {outcome.replace('_', '-')}" for outcome, count in told["events"].items())
    say(f"{told['first']} to {told['last']}: {outcomes} events, in {told['seconds']:.1f} s")
    say(
        f"{told['customers']:,} customers on {told['partitions']} partitions of namespace {told['namespace']}, "
        f"{told['open_episodes']:,} with an open episode; {told['alerts_withheld']:,} alerts of the past were not sent"
    )
    if told["model"] is not None:
        say(f"Model {told['model']['version']}, learnt from {told['model']['examples']:,} outcomes")
    if told["quality"]:
        figures = [(name, f"{value:.4g}") for name, value in told["quality"].items()]
        say_table("Quality of what would have been said at the time", ("figure", "value"), figures)
    say(f"The topics go on from where the files end: {told['passed_over']:,} records are passed over.")
    say("Next: `churnwatch worker`, as many as you like; `churnwatch doctor` looks at it all.")


def _remarks(settings: Settings, summary: "Summary") -> list[str]:
    checked, remarks = summary.checked, []
    if checked.skipped:
        remarks.append(f"{checked.skipped:,} bad lines were left out")
    if summary.gaps:
        remarks.append(f"events may be missing between the files and {', '.join(summary.gaps)}")
    late = summary.history.events["late"]
    if late:
        remarks.append(f"{late:,} events were too late to count: files sorted by occurred_at lose none")
    behind_days = 0 if checked.last_ms is None else (time.time_ns() // 1_000_000 - checked.last_ms) // DAY_MS
    if settings.clock == "live" and behind_days > OLD_DAYS:
        remarks.append(
            f"the files end {behind_days:,} days ago: what the topics hold since then comes first; where they hold nothing, "
            "workers take those days for silence (CHURNWATCH_CLOCK=replay stays in the files' own time)"
        )
    return remarks
