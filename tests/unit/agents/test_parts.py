"""Which parts of a worker move, which wait, and which are stuck."""

import pytest

from agents.health import HealthState, health
from agents.parts import FETCHING, JOINING, KAFKA, LEARNER, OUTBOX, PARTITION, Parts

STALLED_MS = 60_000


class Clock:
    def __init__(self) -> None:
        self.ms = 1_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def parts(clock: Clock) -> Parts:
    return Parts(clock)


def stuck(parts: Parts, clock: Clock, kind: str, partition: int | None = None) -> list[str]:
    """What /healthz says where the part has work."""
    return health(HealthState([parts.look(kind, partition, pending=True)], clock.ms, STALLED_MS)).reasons


@pytest.mark.parametrize(
    ("kind", "partition", "name"),
    [
        (PARTITION, 3, "partition 3"),
        (OUTBOX, 3, "the outbox of partition 3"),
        (LEARNER, None, "the learner"),
        (FETCHING, None, "fetching from Kafka"),
        (JOINING, None, "joining the consumer group"),
    ],
)
def test_each_is_named_with_how_long(parts: Parts, clock: Clock, kind: str, partition: int | None, name: str) -> None:
    assert stuck(parts, clock, kind, partition) == []
    clock.ms += STALLED_MS
    assert stuck(parts, clock, kind, partition) == []
    clock.ms += 1_000
    assert stuck(parts, clock, kind, partition) == [f"{name} has had work for 61 s and has not moved"]


def test_one_that_moves_does_not_hide_another(parts: Parts, clock: Clock) -> None:
    for partition in (0, 1):
        parts.look(PARTITION, partition, pending=True)
    for _ in range(70):
        clock.ms += 1_000
        parts.moved(PARTITION, 0)
    assert stuck(parts, clock, PARTITION, 0) == []
    assert stuck(parts, clock, PARTITION, 1) != []


def test_without_work_it_counts_as_just_moved(parts: Parts, clock: Clock) -> None:
    parts.look(LEARNER, pending=False)
    clock.ms += 10 * STALLED_MS
    parts.look(LEARNER, pending=False)
    clock.ms += STALLED_MS
    assert stuck(parts, clock, LEARNER) == []


def test_a_mark_that_changes_is_a_move(parts: Parts, clock: Clock) -> None:
    for turns in range(5):
        assert parts.look(FETCHING, pending=True, mark=turns).progressed_ms == clock.ms
        clock.ms += STALLED_MS
    assert parts.look(FETCHING, pending=True, mark=4).stuck_ms(clock.ms) == STALLED_MS


def test_who_waits_is_not_stuck_and_has_its_time_anew_afterwards(parts: Parts, clock: Clock) -> None:
    assert parts.waits("Redis", PARTITION, 0)
    assert not parts.waits("Redis", PARTITION, 0), "no news"
    clock.ms += 10 * STALLED_MS
    found = parts.look(PARTITION, 0, pending=False)
    assert (found.waits_for, found.stuck_ms(clock.ms), found.stalled_ms(clock.ms)) == ("Redis", 0, 10 * STALLED_MS)
    assert parts.moved(PARTITION, 0) == "Redis"
    clock.ms += STALLED_MS
    assert stuck(parts, clock, PARTITION, 0) == []


def test_who_has_waited_for_a_model_is_not_stuck_the_moment_it_comes(parts: Parts, clock: Clock) -> None:
    parts.look(PARTITION, 0, pending=True)
    for _ in range(100):
        clock.ms += 1_000
        parts.look(PARTITION, 0, pending=True, waits_for="a model")
    assert stuck(parts, clock, PARTITION, 0) == []
    clock.ms += STALLED_MS + 1
    assert stuck(parts, clock, PARTITION, 0) != []


def test_while_kafka_is_away_whatever_has_work_waits_for_it(parts: Parts, clock: Clock) -> None:
    parts.look(FETCHING, pending=True)
    clock.ms += 10 * STALLED_MS
    parts.kafka_away = True
    assert parts.look(FETCHING, pending=True).waits_for == KAFKA
    parts.kafka_away = False
    assert stuck(parts, clock, FETCHING) == [], "it has only just come back"
    clock.ms += STALLED_MS + 1
    assert stuck(parts, clock, FETCHING) != []


def test_a_partition_that_comes_back_starts_from_now(parts: Parts, clock: Clock) -> None:
    parts.look(PARTITION, 0, pending=True)
    parts.look(OUTBOX, 0, pending=True)
    parts.look(LEARNER, pending=True)
    parts.keep([1])
    clock.ms += STALLED_MS + 1
    assert [stuck(parts, clock, kind, 0) for kind in (PARTITION, OUTBOX)] == [[], []]
    assert stuck(parts, clock, LEARNER) != []
