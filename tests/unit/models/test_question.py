import pytest

from models.question import MONDAY_MS, Question
from streams.time import DAY_MS, day_of, iso, parse_instant


def test_snapshots_are_on_mondays_at_midnight() -> None:
    after = parse_instant("2024-02-28T13:00:00Z")
    assert iso(Question().next_snapshot_ms(after)) == "2024-03-04T00:00:00Z"


def test_an_instant_of_the_grid_is_followed_by_the_next() -> None:
    question = Question(snapshot_days=3)
    assert question.next_snapshot_ms(MONDAY_MS) == MONDAY_MS + 3 * DAY_MS
    assert question.next_snapshot_ms(MONDAY_MS - 1) == MONDAY_MS


def test_the_grid_goes_back_before_its_anchor() -> None:
    question = Question(anchor_ms=parse_instant("2024-01-01T00:00:00Z"))
    assert question.next_snapshot_ms(0) == MONDAY_MS


#   |<---- active_days = 3 ---->|
#   d0        d1        d2      d3 = asked
#   ^ last order on d0: asked   ^ on the day itself: not known at its midnight
@pytest.mark.parametrize(
    ("last_order_ms", "asked"),
    [
        (None, False),
        (10 * DAY_MS - 1, False),
        (10 * DAY_MS, True),
        (10 * DAY_MS + 5, True),
        (13 * DAY_MS - 1, True),
        (13 * DAY_MS, False),
    ],
)
def test_only_customers_with_a_recent_order_are_asked_about(last_order_ms: int | None, asked: bool) -> None:
    assert Question(active_days=3).asks(last_order_ms, 13 * DAY_MS) is asked


def test_the_last_day_of_being_asked_about() -> None:
    question = Question(active_days=3)
    gone_ms = question.gone_ms(10 * DAY_MS + 7)
    assert day_of(gone_ms) == 13
    assert question.asks(10 * DAY_MS + 7, gone_ms)
    assert not question.asks(10 * DAY_MS + 7, gone_ms + DAY_MS)


@pytest.mark.parametrize(("horizon_days", "snapshot_days"), [(60, 7), (56, 7), (1, 7), (30, 1)])
def test_no_more_snapshots_wait_than_the_bound_says(horizon_days: int, snapshot_days: int) -> None:
    question = Question(horizon_days=horizon_days, snapshot_days=snapshot_days)
    at = question.next_snapshot_ms(0)
    waiting: list[int] = []
    most = 0
    for _ in range(100):
        waiting = [taken for taken in waiting if question.matures_ms(taken) > at] + [at]
        most = max(most, len(waiting))
        at = question.next_snapshot_ms(at)
    assert most <= question.pending_max <= most + 1


@pytest.mark.parametrize("wrong", [{"horizon_days": 0}, {"active_days": 0}, {"snapshot_days": 0}, {"anchor_ms": 1}])
def test_a_question_that_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Question(**wrong)  # type: ignore[arg-type]
