"""What the benchmark reckons with: its log, its checks, its medians. No test asserts a time."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench import synthetic
from bench.children import environment
from bench.contest import QUIX, WORKER
from bench.measures import Run, WrongAnswer, agree, check, costs_per_event_us, cpu_us, middle, ratio, told
from bench.outcomes import costs, ratios, speeds
from churnwatch.settings import Settings
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.time import DAY_MS

GOOD = Run(10, 2.0, {"read": 10, "applied": 10, "late": 0}, 3, 3, 15, {"commit": 0.5, "load": 1.0})


def test_the_log_is_the_same_for_the_same_seed() -> None:
    assert synthetic.shop(20, 5, 1) == synthetic.shop(20, 5, 1) != synthetic.shop(20, 5, 2)


def test_the_log_is_in_order_and_of_four_streams() -> None:
    events = synthetic.shop(200, 10, 3)
    assert Counter(event["stream"] for event in events).keys() == set(synthetic.STREAMS)
    decoded = [
        decode(
            RawRecord("t", 0, 0, 0, event["customer_id"].encode(), json.dumps(event).encode()),
            event["stream"],
            Limits(),
            synthetic.START_MS + 11 * DAY_MS,
        )
        for event in events
    ]
    arrived = [item.event for item in decoded if isinstance(item, Arrival)]
    assert len(arrived) == len(events)
    times = [event.occurred_at for event in arrived]
    assert times == sorted(times)
    assert synthetic.START_MS <= times[0] <= times[-1] < synthetic.START_MS + 10 * DAY_MS
    assert len({event.event_id for event in arrived}) == len(events)
    assert synthetic.customers_of(events) == 200


def test_a_part_of_the_log_is_like_the_whole() -> None:
    whole, part = synthetic.shop(1_000, 10, 3), synthetic.shop(100, 10, 3)
    assert len(whole) / len(part) == pytest.approx(10, rel=0.15)


def test_the_log_is_written_a_line_an_event(tmp_path: Path) -> None:
    events = synthetic.shop(10, 5, 1)
    lines = synthetic.write(tmp_path / "log.jsonl", events).read_text().splitlines()
    assert list(map(json.loads, lines)) == events


def test_a_run_that_did_the_work_is_accepted() -> None:
    check("it", GOOD, 10, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(GOOD, outcomes={"read": 10, "applied": 9, "duplicate": 1}),
        replace(GOOD, outcomes={"read": 11, "applied": 11}),
        replace(GOOD, events=9),
        replace(GOOD, customers=2),
        replace(GOOD, timers=2),
    ],
)
def test_a_run_that_did_not_is_refused(wrong: Run) -> None:
    with pytest.raises(WrongAnswer, match=r"^it: "):
        check("it", wrong, 10, 3)


def test_the_median_counts() -> None:
    fast, slow = replace(GOOD, seconds=1.0), replace(GOOD, seconds=20.0)
    assert middle([fast, GOOD, slow]) == 5
    assert ratio({"a": [fast, GOOD, slow], "b": [slow]}, "a", "b") == 10
    assert list(costs_per_event_us([fast, GOOD, slow]).items()) == [("load", 100_000), ("commit", 50_000)]
    assert told([GOOD])["events_per_second"] == 5
    assert json.loads(json.dumps(told([GOOD])))["runs"][0]["customers"] == 3


def test_processor_time_is_told_where_it_is_known() -> None:
    assert cpu_us([GOOD]) is None
    assert cpu_us([GOOD, replace(GOOD, cpu_seconds=1.0), replace(GOOD, cpu_seconds=3.0)]) == 200_000


def test_tables_have_a_row_for_each() -> None:
    runs = {"a": [GOOD], "b": [replace(GOOD, costs={})]}
    assert [row[0] for row in speeds("t", runs, "b").rows] == ["a", "b"]
    assert [row[0] for row in costs(runs).rows] == ["a"]
    assert all(len(row) == len(speeds("t", runs, "b").columns) for row in speeds("t", runs, "b").rows)


def test_contestants_with_the_same_answers_agree() -> None:
    same = replace(GOOD, states="5", said="7", alerts=2)
    assert "a, b: the same 3 states, 15 scores and 2 messages" in agree(
        {"a": [same], "b": [same, same]}, ["a", "b", "c"]
    )


@pytest.mark.parametrize("other", [{"states": "6"}, {"alerts": 3}, {"said": "8"}, {"scorings": 16}])
def test_contestants_with_other_answers_do_not(other: dict[str, object]) -> None:
    same = replace(GOOD, states="5", said="7", alerts=2)
    with pytest.raises(WrongAnswer, match=r"^b: "):
        agree({"a": [same], "b": [same, replace(same, **other)]}, ["a", "b"])  # type: ignore[arg-type]


def test_ratios_are_told_of_rivals_that_are_there() -> None:
    mine, theirs = replace(GOOD, cpu_seconds=1.0), replace(GOOD, seconds=4.0, cpu_seconds=5.0)
    runs = {WORKER: [mine], QUIX: [theirs]}
    assert ratios(runs) == {"worker_to_quix": 2.0, "worker_to_quix_by_cpu": 5.0}


def test_children_get_these_settings_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNWATCH_CLOCK", "live")
    monkeypatch.setenv("CHURNWATCH_LOG_FORMAT", "json")
    environ = environment(Settings(topic_prefix="x.", clock="replay", lateness_ms=90_000))
    ours = {name: value for name, value in environ.items() if name.startswith("CHURNWATCH_")}
    assert ours["CHURNWATCH_TOPIC_PREFIX"] == "x."
    assert ours["CHURNWATCH_CLOCK"] == "replay"
    assert ours["CHURNWATCH_LATENESS"] == "90s"
