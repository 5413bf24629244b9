"""A bootstrap's files: what is refused by file and line, what is left to the topics, in which order the rest comes."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from churnwatch import compose
from churnwatch.bootstrap_files import KEPT_MS, Checked, Files, check
from churnwatch.bootstrap_history import replay
from churnwatch.settings import Settings
from models.labels import Example, ExampleBatch, pack_vector
from streams.errors import InputFileError
from streams.time import DAY_MS, HOUR_MS

START_MS = 1_700_000_000_000
NOW_MS = START_MS + 1_000 * DAY_MS
SETTINGS = Settings(
    horizon_ms=14 * DAY_MS,
    active_ms=28 * DAY_MS,
    min_labels=10,
    model_interval_ms=7 * DAY_MS,
    alert_min_order_days=1,
    alert_floor_new=0.2,
    alert_floor_standard=0.2,
    alert_floor_loyal=0.2,
    alert_floor_high_value=0.2,
)


def order(number: int, at_ms: int, customer: str = "ann", **fields: Any) -> dict[str, Any]:
    own = {"stream": "orders", "event_id": f"e{number}", "customer_id": customer, "occurred_at": at_ms}
    return own | {"order_id": f"o{number}", "amount": 10} | fields


def write(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def files(*paths: Path, until_ms: int | None = None) -> Files:
    return Files(SETTINGS, paths, until_ms, NOW_MS)


def checked(*paths: Path, until_ms: int | None = None, skip_bad: bool = False) -> Checked:
    return list(check(files(*paths, until_ms=until_ms), skip_bad=skip_bad))[-1]


def test_what_is_after_the_instant_is_left_to_the_topics(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [order(n, START_MS + n * DAY_MS) for n in range(10)])
    found = checked(path, until_ms=START_MS + 7 * DAY_MS)
    assert (found.lines, found.events, found.after) == (10, 7, 3)
    assert (found.first_ms, found.last_ms) == (START_MS, START_MS + 6 * DAY_MS)
    ids = [arrival.event.event_id for arrival in files(path, until_ms=START_MS + 7 * DAY_MS).arrivals()]
    assert ids == [f"e{n}" for n in range(7)]
    assert checked(path, until_ms=START_MS).last_ms is None


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ("not json", "not an event"),
        (order(1, START_MS, amount=-1), "invalid: amount"),
        (order(1, START_MS) | {"stream": "weather"}, "unknown stream"),
        (order(1, NOW_MS + 30 * DAY_MS), "future"),
        (order(1, START_MS - KEPT_MS - 1), "sort the file by occurred_at"),
    ],
)
def test_a_bad_line_is_named_by_file_and_line(tmp_path: Path, bad: Any, problem: str) -> None:
    path = write(tmp_path / "a.jsonl", [order(0, START_MS), bad, order(2, START_MS + 1)])
    with pytest.raises(InputFileError, match=rf"a\.jsonl:2: .*{problem}"):
        checked(path)


def test_bad_lines_can_be_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [order(0, START_MS), "not json", order(2, START_MS, amount=-1)])
    found = checked(path, skip_bad=True)
    assert (found.events, found.skipped) == (1, 2)
    assert len(list(files(path).arrivals())) == 1


def test_a_little_disorder_is_taken_as_it_comes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [order(0, START_MS + DAY_MS), order(1, START_MS)])
    assert checked(path).events == 2


def test_files_are_interleaved_by_time_and_then_by_topic(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", [order(n, START_MS + n * DAY_MS) for n in (0, 2, 4)])
    logins = [
        {"stream": "logins", "event_id": f"l{n}", "customer_id": "ann", "occurred_at": START_MS + n * DAY_MS}
        for n in (1, 2, 3)
    ]
    second = write(tmp_path / "b.jsonl", logins)
    ids = [arrival.event.event_id for arrival in files(second, first).arrivals()]
    assert ids == ["e0", "l1", "l2", "e2", "l3", "e4"]


def test_the_replay_stops_at_the_watermark_and_speaks_for_every_partition(tmp_path: Path) -> None:
    lines = [
        order(week * 10 + customer, START_MS + week * 7 * DAY_MS + customer * HOUR_MS, f"c{customer}")
        for week in range(16)
        for customer in range(8)
        if customer > 5 or week < 2 + 2 * customer  # one after the other leaves
    ]
    path = write(tmp_path / "a.jsonl", lines)
    history = asyncio.run(replay(files(path), 3))
    assert history.events == {"read": len(lines), "applied": len(lines)}
    assert history.withheld > 0
    assert history.examples > 0
    last_ms = lines[-1]["occurred_at"]
    assert history.heard_ms == {SETTINGS.topics().inputs["orders"]: last_ms}
    assert history.meta.clock_ms == last_ms - SETTINGS.lateness_ms
    assert min(due for _, due in history.partition.timers.get(1 << 60, 100)) > history.meta.clock_ms
    assert set(history.scores) <= {name.encode() for name in history.partition.states}
    assert history.learner is not None
    # All three have promised the same, so what any of them sends next moves nothing before all have spoken again.
    assert history.learner.frontier_ms() == history.meta.mark_ms
    assert history.learner.learnt_until_ms == history.meta.mark_ms
    assert [guide.version for guide in history.guides] == list(range(1, history.learner.version + 1))

    # A live worker's learner goes on from there: it waits for all three, and then cuts the next version.
    live = compose.learner(SETTINGS)
    live.restore(history.learner.to_bytes())
    asked_ms = history.meta.mark_ms - 14 * DAY_MS
    example = Example(
        "00", asked_ms, history.meta.mark_ms + 1, 1, 0.5, 1, "new", pack_vector([0.0] * len(compose.NAMES))
    )
    for source in range(3):
        assert live.advance() == []
        seq, mark_ms = history.meta.seq + 1, history.meta.mark_ms + compose.LIVE_MARK_MS
        live.absorb(
            ExampleBatch(
                source,
                3,
                seq,
                mark_ms,
                examples=[] if source else [example],
                life=history.meta.life,
                claim=history.meta.claim,
            )
        )
    assert [guide.version for guide in live.advance()] == [history.learner.version + 1]
    assert live.counters.gaps == live.counters.duplicates == 0
