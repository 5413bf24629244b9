"""What the scenarios `growth` and `latency` and the page of sizes reckon with. No test asserts a time."""

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from bench import sizing
from bench.growth import in_memory
from bench.growth_events import Plan, made, spread, uniform
from bench.growth_fill import Group
from bench.growth_run import longest_pause
from bench.latency_figures import after_warm_up, events_per_step, figures, stage_ms
from bench.latency_load import check_heard
from bench.measures import WrongAnswer
from bench.sizing import BEGIN, CUSTOMERS, END, PAGE, RATES, UNMEASURED, Measured, current, page, plan
from churnwatch.scrape import Scrape
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.errors import ChurnwatchError

NOW_MS = 1_700_000_000_000
FOUND = Measured(50.0, 80.0, 900.0, 8_000.0, 150e6, 60.0)
SAID = """\
churnwatch_stage_seconds_sum{stage="load"} %s
churnwatch_stage_seconds_count{stage="load"} %d
churnwatch_chunk_events_sum %d
churnwatch_chunk_events_count %d
"""


def test_every_event_made_is_one_that_the_worker_applies() -> None:
    events = list(uniform("n", 10, 2_000, NOW_MS, 1))
    assert Counter(stream for stream, _, _ in events).keys() == {"logins", "orders", "reviews", "tickets"}
    for number, (stream, customer, value) in enumerate(events):
        record = RawRecord("t", 0, number, NOW_MS, customer.encode(), value.encode())
        item = decode(record, stream, Limits(), NOW_MS + 10_000)
        assert isinstance(item, Arrival), item
        assert item.event.occurred_at == NOW_MS + number


def test_the_same_events_for_the_same_seed() -> None:
    assert list(uniform("n", 10, 50, NOW_MS, 1)) == list(uniform("n", 10, 50, NOW_MS, 1))
    assert made(Random(1), "a", 1, "c", NOW_MS) != made(Random(1), "b", 1, "c", NOW_MS)


@pytest.mark.parametrize(("scores", "leavers"), [(0, 0), (30, 10), (33, 33), (1, 99)])
def test_special_events_are_spread_and_all_there(scores: int, leavers: int) -> None:
    kinds = spread(Plan("p", 5, 10.0, 10.0, scores=scores, leavers=leavers))
    assert len(kinds) == 100
    assert sorted(kind for kind in kinds if kind > 0) == list(range(1, scores + 1))
    assert sorted(-kind for kind in kinds if kind < 0) == list(range(1, leavers + 1))


def test_groups_name_their_customers() -> None:
    assert list(Group("s", 2).ids()) == ["s-0000000", "s-0000001"]


def test_percentiles_are_latencies_that_were_met() -> None:
    found = figures([float(value) for value in range(1, 1_001)])
    assert found.percentiles == {"p50": 500.0, "p99": 990.0, "p99_9": 999.0}
    assert (found.samples, found.longest, found.mean) == (1_000, 1_000.0, 500.5)
    with pytest.raises(ValueError, match="no latencies"):
        figures([])


def test_what_is_sent_in_the_warm_up_does_not_count() -> None:
    assert after_warm_up([(2_000, 2_050), (1_000, 1_900), (3_000, 3_001)], 1_000) == [50.0, 1.0]


def test_stages_are_told_of_what_came_between_two_looks() -> None:
    before, after = Scrape(SAID % ("1.0", 10, 100, 10)), Scrape(SAID % ("1.5", 20, 150, 20))
    assert stage_ms(before, after, ["load", "commit"]) == {"load": 50.0}
    assert events_per_step(before, after) == 5.0
    assert events_per_step(after, after) == 0.0


def test_a_score_that_does_not_come_is_a_wrong_answer() -> None:
    plan_ = Plan("p", 5, 10.0, 10.0, scores=3, leavers=1)
    check_heard("it", plan_, 3, 1)
    with pytest.raises(WrongAnswer, match="3 scores and 1 alerts"):
        check_heard("it", plan_, 2, 1)


def test_a_pause_is_what_lies_between_two_changes() -> None:
    assert longest_pause([(0.0, 1)]) == 0.0


def test_customers_met_are_never_more_than_there_are_or_events() -> None:
    for customers, events in ((10, 5), (1_000, 60_000), (1_000_000, 60_000)):
        assert in_memory(customers, events) <= min(customers, events) + 1e-6


def test_more_events_or_customers_never_need_less() -> None:
    for rate in RATES:
        for customers in CUSTOMERS:
            bought = plan(FOUND, rate, customers, 200_000)
            assert bought.cores <= bought.workers * sizing.BUSY
            assert bought.snapshot_hours <= sizing.SNAPSHOT_SECONDS / 3_600
            assert bought.partitions % sizing.PARTITIONS_MIN == 0 or bought.partitions == sizing.PARTITIONS_MAX
            assert bought.workers * sizing.PARTITIONS_PER_WORKER <= bought.partitions or not bought.fits
            for more in (plan(FOUND, rate * 10, customers, 200_000), plan(FOUND, rate, customers * 10, 200_000)):
                assert (more.workers, more.primaries) >= (bought.workers, bought.primaries)


def test_a_cache_that_holds_all_makes_events_cheaper() -> None:
    held, missed = plan(FOUND, 10_000, 10**7, 10**7), plan(FOUND, 10_000, 10**7, 1)
    assert held.cores == pytest.approx(0.5)
    assert missed.cores == pytest.approx(0.8)
    assert held.worker_bytes > missed.worker_bytes


def test_what_no_number_of_partitions_can_hold_is_said() -> None:
    bought = plan(replace(FOUND, redis_bytes=9_000.0), 1, 10**9, 200_000)
    assert not bought.fits
    assert bought.partitions == sizing.PARTITIONS_MAX
    assert bought.next == "partitions"


def test_the_page_is_what_the_kept_result_comes_to() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text, current()) == text, "run `python -m bench.sizing`"


def test_the_page_says_where_nothing_was_measured() -> None:
    assert page(f"a {BEGIN} old {END} b", {}) == f"a {BEGIN}\n\n{UNMEASURED}\n\n{END} b"
    with pytest.raises(ChurnwatchError, match="put both lines back"):
        page("no marks", {})


def test_the_result_file_is_read() -> None:
    size = {
        "customers": 10_000,
        "cpu_us_per_event": 50.0,
        "redis_bytes_per_customer": 900.0,
        "workers_resident_bytes": 230_000_000,
    }
    growth = {"details": {"sizes": [size, size | {"customers": 10**6, "cpu_us_per_event": 80.0}]}}
    document: dict[str, Any] = {
        "scenarios": {"growth": growth},
        "memory": {"growth": {"worker_bytes_per_customer_in_memory": 8_000}},
    }
    assert sizing.measured(document) == replace(FOUND, look_us=80.0)
    document["scenarios"]["silence"] = {"details": {"days": {"1": [{"cpu_seconds": 6.0, "wakes": 100_000}]}}}
    assert sizing.measured(document) == FOUND
    assert "| 10,000 | 1,000,000,000 |" in sizing.tables(FOUND, 200_000)
