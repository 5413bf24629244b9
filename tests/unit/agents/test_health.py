"""When the worker says that it works, and when that it is ready."""

import json

import pytest

from agents.health import HealthState, Progress, Readiness, Verdict, health, readiness

NOW_MS = 1_000_000
MINUTE_MS = 60_000


def state(*partitions: Progress) -> HealthState:
    return HealthState(partitions, now_ms=NOW_MS, stalled_ms_max=MINUTE_MS)


def moved(seconds_ago: int, *, pending: bool = True, waits_for: str | None = None) -> Progress:
    return Progress(7, pending=pending, progressed_ms=NOW_MS - 1000 * seconds_ago, waits_for=waits_for)


def ready_state(
    *partitions: Progress, redis_ms: int | None = NOW_MS, model_loaded: bool = True, stopping: bool = False
) -> Readiness:
    return Readiness(
        partitions,
        redis_answered_ms=redis_ms,
        model_loaded=model_loaded,
        stopping=stopping,
        now_ms=NOW_MS,
        patience_ms=10_000,
    )


def test_without_partitions_the_process_works() -> None:
    assert health(state()) == (True, [])


@pytest.mark.parametrize(("seconds_ago", "ok"), [(0, True), (60, True), (61, False)])
def test_a_partition_with_work_may_stand_still_for_so_long(seconds_ago: int, ok: bool) -> None:
    assert health(state(moved(seconds_ago))).ok is ok


def test_a_partition_without_work_may_stand_still_for_ever() -> None:
    assert health(state(moved(86_400, pending=False))) == (True, [])


def test_a_partition_that_waits_for_a_service_is_not_stuck_but_not_ready() -> None:
    waiting = moved(600, waits_for="Redis")
    assert health(state(waiting)).ok
    assert readiness(ready_state(waiting)).reasons == ["partition 7 waits for Redis"]


def test_partitions_that_wait_for_the_same_are_told_in_one_line() -> None:
    waiting = [Progress(n, pending=True, progressed_ms=NOW_MS - 600_000, waits_for="Redis") for n in (3, 4)]
    assert readiness(ready_state(*waiting)).reasons == ["partition 3, partition 4 wait for Redis"]


def test_a_short_wait_does_not_count() -> None:
    assert readiness(ready_state(moved(10, waits_for="a model"))).ok


def test_one_stuck_partition_among_many_is_named() -> None:
    ok, reasons = health(state(moved(0), Progress(3, pending=True, progressed_ms=NOW_MS - 90_000), moved(5)))
    assert not ok
    assert reasons == ["partition 3 has had work for 90 s and has not moved"]


def test_a_clock_that_steps_back_is_no_stall() -> None:
    assert Progress(0, pending=True, progressed_ms=5_000).stalled_ms(now_ms=4_000) == 0


def test_ready_when_everything_is_there() -> None:
    assert readiness(ready_state(moved(0))) == (True, [])


@pytest.mark.parametrize(
    ("judged", "word"),
    [
        (ready_state(), "no partition is assigned"),
        (ready_state(moved(0), redis_ms=None), "Redis has not answered yet"),
        (ready_state(moved(0), redis_ms=NOW_MS - 12_000), "Redis has not answered for 12 s"),
        (ready_state(moved(0), model_loaded=False), "no model is loaded"),
        (ready_state(moved(0), stopping=True), "the worker is stopping"),
    ],
)
def test_each_lack_alone_makes_it_unready_and_is_said(judged: Readiness, word: str) -> None:
    ok, reasons = readiness(judged)
    assert not ok
    assert len(reasons) == 1
    assert word in reasons[0]


def test_every_lack_is_said_at_once() -> None:
    assert len(readiness(ready_state(redis_ms=None, model_loaded=False, stopping=True)).reasons) == 4


def test_the_answer_over_http() -> None:
    verdict = Verdict(ok=False, reasons=["no model is loaded"])
    assert json.loads(verdict.as_json()) == {"ok": False, "reasons": ["no model is loaded"]}
    assert (verdict.http_status, Verdict(ok=True, reasons=[]).http_status) == (503, 200)
