"""`churnwatch publish`: write event files to the input topics."""

import asyncio
import time
from typing import Annotated

import typer

from churnwatch.commands.options import Files, Json
from churnwatch.settings_load import load_settings
from churnwatch.terminal import note, progress, say, say_json
from streams.errors import TransportError
from streams.time import iso


def publish(
    files: Files,
    *,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave bad lines out and count them.")] = False,
    rate: Annotated[float | None, typer.Option(min=0.1, metavar="N", help="At most so many events a second.")] = None,
    shift_to_now: Annotated[
        bool,
        typer.Option(
            "--shift-to-now", help="Move all times so that the last event is now; do it before a worker is started."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Publish events from files to the input topics, each to its own by the field `stream`.

    Every line is checked before the first is sent. Several files are interleaved by event time. Publishing a file twice
    does no harm: the worker knows each `event_id` again.

    Try:

    - `churnwatch publish data/cdnow.jsonl.gz`

    - `churnwatch publish orders.jsonl logins.jsonl.zst --shift-to-now --rate 500`
    """
    from churnwatch.publish import Progress, PublishOptions, publish_files

    shift_to_ms = time.time_ns() // 1_000_000 if shift_to_now else None
    options = PublishOptions(skip_bad=skip_bad, rate=rate, shift_to_ms=shift_to_ms)
    with progress("Publishing") as update:

        def on_progress(at: Progress) -> None:
            total = "" if at.total is None else f" of {at.total:,}"
            update(at.events, f"{at.stage} {at.events:,}{total} events, {at.per_second:,.0f}/s", at.total)

        summary = asyncio.run(publish_files(load_settings(), files, on_progress, options))
    span = [None if ms is None else iso(ms) for ms in (summary.first_ms, summary.last_ms)]
    if as_json:
        told = {"events": dict(summary.events), "total": summary.total, "skipped": summary.skipped}
        say_json(told | {"dropped": summary.dropped, "first": span[0], "last": span[1], "seconds": summary.seconds})
    else:
        for topic, count in sorted(summary.events.items()):
            say(f"{topic}: {count:,} events")
        rate_seen = summary.total / summary.seconds if summary.seconds else 0.0
        covering = f", from {span[0]} to {span[1]}" if summary.total else ""
        say(
            f"{summary.total:,} events published and acknowledged{covering}, in {summary.seconds:.1f} s ({rate_seen:,.0f}/s)."
        )
        if summary.skipped:
            note(f"{summary.skipped:,} bad lines were left out")
    if summary.dropped:
        raise TransportError(
            f"the broker has already dropped {summary.dropped:,} of the events: its retention is too small for these "
            f"files; raise it, or publish more slowly (--rate) beside a running worker"
        )
