"""What the console shows of goals and sources is what the ledger and the partitions' bookkeeping say."""

import pytest
from aiokafka import TopicPartition

from agents.meta import Meta
from alerts.ledger import Ledger
from churnwatch.console_steering import progress_of, sources_of
from churnwatch.settings import Settings
from tests.unit.alerts.test_kpi_sums import a_ledger

TOPICS = {"orders": "o", "logins": "l", "reviews": "r"}
ENDS = {TopicPartition(topic, partition): 10 for topic in "ol" for partition in range(2)}
BEGINS = dict.fromkeys(ENDS, 4)


def metas(*, taken: int) -> list[Meta | None]:
    offsets = {"o": taken, "l": taken}
    return [Meta(offsets=offsets, heard_ms={"o": 900, "l": 500}), Meta(offsets=offsets, heard_ms={"l": 600})]


@pytest.mark.parametrize(
    ("taken", "now_ms", "silent"), [(10, 1_000, {"l"}), (9, 1_000, set()), (10, None, set()), (10, 650, set())]
)
def test_a_source_is_silent_when_nothing_has_come_for_long_and_nothing_waits(
    taken: int, now_ms: int | None, silent: set[str]
) -> None:
    found = sources_of(TOPICS, metas(taken=taken), BEGINS, ENDS, now_ms, 200)
    assert {source.topic for source in found if source.silent} == silent
    assert [(source.stream, source.heard_ms) for source in found] == [
        ("orders", 900),
        ("logins", 600),
        ("reviews", None),
    ]
    assert [source.waiting for source in found] == [2 * (10 - taken), 2 * (10 - taken), 0]


def test_of_a_partition_without_state_all_that_kafka_holds_waits() -> None:
    (orders, *_) = sources_of(TOPICS, [None], BEGINS, ENDS, 1_000, 200)
    assert (orders.waiting, orders.heard_ms, orders.silent) == (12, None, False)


def test_before_anything_was_booked_there_is_no_figure() -> None:
    assert progress_of(Ledger(), Settings()) is None


def test_the_figures_are_those_of_the_ledger() -> None:
    found = progress_of(a_ledger(), Settings(target_retention=0.7))
    assert found is not None
    assert (list(found.months), found.answers) == (["1997-05"], 110)
    assert found.churn_target == pytest.approx(0.3)
    assert found.churn == pytest.approx(0.45, abs=0.01)
    retention, precision, *_ = found.goals
    assert (retention.target, retention.verdict) == (0.7, "missed")
    assert retention.found == pytest.approx(0.55, abs=0.01)
    assert (precision.name, precision.target, precision.verdict) == ("precision", None, "")
