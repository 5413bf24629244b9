"""The soak's arithmetic and its shop: what it calls flat, what it calls growth, and that its population stands still."""

from collections import Counter
from dataclasses import replace
from itertools import islice, takewhile
from random import Random
from statistics import mean

import msgspec
import pytest

from chaos import soak_plan, soak_shop
from chaos.soak import exit_code, options, summary
from chaos.soak_probe import Sample
from chaos.soak_record import Books, Soak
from chaos.soak_report import document, drawing, quantile
from chaos.soak_shop import EVENTS_PER_CUSTOMER_DAY, LATE_MS, MEAN_LIFE_DAYS, START_MS, events, life_days
from chaos.soak_trend import judge, trend
from chaos.soak_verdict import Check, checks, trends
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.time import DAY_MS

MB = 1_000_000
CUSTOMERS = 100


def series(level: float, growth_share: float, noise: float, seed: int = 3) -> list[tuple[float, float]]:
    """Twenty minutes, a sample every two seconds; `growth_share` per ten minutes."""
    random = Random(seed)
    return [
        (float(second), level * (1 + growth_share * second / 600) + random.gauss(0, noise))
        for second in range(0, 1200, 2)
    ]


def test_noise_about_a_level_is_flat() -> None:
    found = trend(series(200 * MB, 0.0, 0.5 * MB))
    assert found is not None
    assert found.low < 0 < found.high
    assert judge(found, 0.01, MB) == "flat"


def test_two_per_cent_in_ten_minutes_are_growth_through_the_noise() -> None:
    found = trend(series(200 * MB, 0.02, 0.5 * MB))
    assert found is not None
    assert found.share(found.slope) == pytest.approx(0.02, abs=0.002)
    assert found.low > 0
    assert judge(found, 0.01, MB) == "grows"


def test_a_few_wild_samples_do_not_make_a_trend() -> None:
    points = series(200 * MB, 0.0, 0.1 * MB)
    points[500::40] = [(at, value + 80 * MB) for at, value in points[500::40]]
    assert judge(trend(points), 0.01, MB) == "flat"


def test_a_slope_that_may_as_well_be_none_is_not_called_growth() -> None:
    found = trend(series(200 * MB, 0.015, 60 * MB))
    assert found is not None
    assert found.share(found.slope) > 0.01
    assert found.low < 0
    assert judge(found, 0.01, MB) == "unknown"


def test_less_than_the_grain_of_memory_is_nothing() -> None:
    found = trend([(float(second), 10 * MB + 1_000.0 * second) for second in range(120)])
    assert judge(found, 0.01, grain=MB) == "flat"
    assert judge(found, 0.01, grain=10_000) == "grows"


def test_too_few_samples_tell_nothing() -> None:
    assert trend([(0.0, 1.0), (1.0, 2.0)]) is None
    assert judge(None, 0.01, 1.0) == "unknown"


# -- the shop ----------------------------------------------------------------------------------------------------------


def test_the_shop_is_a_function_of_its_seed() -> None:
    first = list(islice(events(1, CUSTOMERS), 1_000))
    assert first == list(islice(events(1, CUSTOMERS), 1_000))
    assert first != list(islice(events(2, CUSTOMERS), 1_000))


def test_it_is_full_from_the_first_day_and_stays_so() -> None:
    days = 140
    sent = list(takewhile(lambda event: event.at_ms < START_MS + days * DAY_MS, events(1, CUSTOMERS)))
    weeks = Counter((event.at_ms - START_MS) // (7 * DAY_MS) for event in sent)
    expected = 7 * CUSTOMERS * EVENTS_PER_CUSTOMER_DAY
    assert mean(weeks.values()) == pytest.approx(expected, rel=0.03)
    assert min(weeks.values()) > 0.88 * expected
    assert max(weeks.values()) < 1.12 * expected


def test_customers_come_and_go() -> None:
    sent = takewhile(lambda event: event.at_ms < START_MS + 300 * DAY_MS, events(1, 40))
    last = {event.key: (event.at_ms - START_MS) / DAY_MS for event in sent if event.outcome == "applied"}
    assert len(last) == pytest.approx(300 * 40 / MEAN_LIFE_DAYS + 40 * 0.9, rel=0.1)
    assert sum(day < 200 for day in last.values()) > 50


def test_lives_are_as_long_as_the_plan_reckons_with() -> None:
    assert mean(map(life_days, range(1, 5_001))) == pytest.approx(MEAN_LIFE_DAYS, rel=0.01)
    stretch = [life_days(number) for number in range(1_000, 1_200)]
    assert mean(stretch) == pytest.approx(MEAN_LIFE_DAYS, rel=0.03)  # any stretch of arrivals has the same mixture


def test_records_are_in_the_order_of_sending_and_say_what_becomes_of_them() -> None:
    sent = list(islice(events(1, CUSTOMERS), 10_000))
    assert [event.at_ms for event in sent] == sorted(event.at_ms for event in sent)
    seen: set[str] = set()
    limits = Limits(1 << 20, DAY_MS)
    for event in sent:
        item = decode(RawRecord("t", 0, 0, event.at_ms, event.key, event.value), event.stream, limits, event.at_ms)
        if event.outcome == "dead_lettered":
            assert not isinstance(item, Arrival)
            continue
        assert isinstance(item, Arrival)
        late = item.event.occurred_at < event.at_ms - LATE_MS + DAY_MS
        assert late == (event.outcome == "late")
        assert (item.event.event_id in seen) == (event.outcome == "duplicate")
        seen.add(item.event.event_id)
    outcomes = Counter(event.outcome for event in sent)
    assert outcomes["duplicate"] == pytest.approx(100, rel=0.1)
    assert outcomes["late"] == outcomes["dead_lettered"] == pytest.approx(5, abs=1)


def test_the_rate_gives_the_customers() -> None:
    active = soak_shop.active_customers(500, 2)
    assert active * EVENTS_PER_CUSTOMER_DAY * 2 == pytest.approx(500, rel=0.01)


# -- the verdict -------------------------------------------------------------------------------------------------------

BOOKS = Books(
    sent=10,
    acknowledged=10,
    expected={"applied": 9, "duplicate": 1},
    counted={"applied": 9, "duplicate": 1},
    read=10,
    alerts_counted=3,
    alerts_heard=3,
    alerts_repeated=0,
    episodes_counted=1,
    episodes_heard=1,
    doubly_open=0,
    kinds={"opened": 2, "resolved": 1},
    examples={"churned": 1, "stayed": 1},
)


def sample(at: float, phase: str, *, rss: float = 200 * MB, lag: int = 50, used: float = 8 * MB) -> Sample:
    return Sample(
        at,
        phase,
        sent=1000 + lag,
        taken=1000,
        day=at,
        rss=int(rss),
        anonymous=int(rss),
        threads=4,
        cpu_seconds=at / 3,
        customers=1000,
        open_episodes=50,
        outbox=0,
        learner_lag=0,
        guides=at,
        ready=True,
        healthy=True,
        redis_used=int(used),
        redis_rss=int(used),
        keys={"customers": 1000},
        key_bytes={"customers": 1_000_000},
    )


def a_soak(*, burst_rss: float = 230 * MB, after_rss: float = 210 * MB, growth: float = 0.0) -> Soak:
    samples = [sample(at, "filling") for at in range(0, 100, 2)]
    samples += [sample(at, "steady", rss=200 * MB + growth * (at - 100)) for at in range(100, 1300, 2)]
    samples += [sample(at, "burst", rss=burst_rss, lag=50 * (at - 1300)) for at in range(1302, 1360, 2)]
    samples += [sample(at, "recovery", rss=burst_rss, lag=2_000) for at in range(1360, 1400, 2)]
    samples += [sample(at, "after", rss=after_rss) for at in range(1400, 1500, 2)]
    return Soak(
        "Kafka, Redis",
        500.0,
        soak_plan.plan(25),
        samples=samples,
        latencies={"steady": {1.0: 5.0, float("inf"): 5.0}},
        counters={"rebalances": 1.0, "fence_lost": 0.0, "redis_failures": 0.0},
        filled=True,
        exit_code=0,
        books=BOOKS,
    )


def failed(found: Soak) -> list[str]:
    return [check.name for check in checks(found) if check.outcome != "ok"]


def test_a_good_soak_passes_whole() -> None:
    verdicts = checks(a_soak())
    assert {check.outcome for check in verdicts} == {"ok"}, verdicts
    assert exit_code(verdicts) == 0
    assert summary(verdicts) == "soak: all holds"


def test_growth_is_found() -> None:
    found = a_soak(growth=10_000, burst_rss=240 * MB, after_rss=213 * MB)
    assert failed(found) == ["worker RSS is flat"]
    assert exit_code(checks(found)) == 1


def test_memory_that_a_burst_takes_without_bound_or_keeps_is_found() -> None:
    assert failed(a_soak(burst_rss=400 * MB)) == ["the burst's memory is bounded"]
    assert failed(a_soak(after_rss=260 * MB)) == ["worker: memory is back"]


def test_lag_that_stays_is_found() -> None:
    found = a_soak()
    found.samples = [found for found in found.samples if found.phase != "after"]
    assert failed(found) == ["the burst's lag falls back"]


def test_a_restart_an_error_and_a_worker_that_is_not_ready_are_found() -> None:
    found = a_soak()
    found.exit_code, found.errors = 1, {"ERROR x": 1}
    found.samples[50] = replace(found.samples[50], ready=False)
    assert failed(found) == [
        "one worker, from beginning to end",
        "ready and healthy throughout",
        "no error in the log",
    ]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"read": 11}, "every event is read once, and becomes what it ought to"),
        ({"counted": {"applied": 10, "duplicate": 0}}, "every event is read once, and becomes what it ought to"),
        ({"alerts_heard": 2}, "every alert is heard once"),
        ({"alerts_repeated": 1}, "every alert is heard once"),
        ({"episodes_heard": 2}, "one episode a customer, and all are accounted for"),
    ],
)
def test_books_that_do_not_agree_are_found(changed: dict[str, object], name: str) -> None:
    found = a_soak()
    found.books = replace(BOOKS, **changed)  # type: ignore[arg-type]  # chosen by name
    assert failed(found) == [name]


def test_a_run_that_never_filled_proves_nothing_and_fails_nothing() -> None:
    found = a_soak()
    found.filled = False
    verdicts = checks(found)
    assert failed(found) == ["worker RSS is flat", "Redis used is flat"]
    assert exit_code(verdicts) == 0
    assert summary(verdicts).startswith("soak: nothing failed; too short to tell")


# -- what it says ------------------------------------------------------------------------------------------------------


def test_the_document_is_json_and_the_drawing_has_every_phase() -> None:
    found = a_soak()
    told = msgspec.json.decode(msgspec.json.encode(document(found, checks(found))))
    assert told["trends"]["worker RSS"]["level"] == 200 * MB
    assert len(told["samples"]["rss"]) <= 100
    lines = drawing(found.samples)
    assert set("fsBra") <= set(lines[-3])
    assert "keys: customers" in trends(found)


def test_an_empty_histogram_has_no_quantile() -> None:
    assert quantile({1.0: 0.0, float("inf"): 0.0}, 0.5) is None
    assert quantile({1.0: 10.0, float("inf"): 10.0}, 0.5) == 0.5


def test_the_command_line_refuses_what_cannot_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert options(["--minutes", "30", "--json"]).json
    for wrong in (["--minutes", "0.1"], ["--rate", "0"], ["--days", "-1"]):
        with pytest.raises(SystemExit):
            options(wrong)
        assert "must be" in capsys.readouterr().err


def test_one_failure_outweighs_what_is_unknown() -> None:
    assert exit_code([Check("a", "unknown", ""), Check("b", "failed", "")]) == 1
