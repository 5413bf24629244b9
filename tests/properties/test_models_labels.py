"""Delayed labels: none before its horizon, none twice, none lost, whenever one looks."""

from hypothesis import given
from hypothesis import strategies as st

from models.album import EMPTY, Album, remember
from models.labels import Example, Pending, mature
from models.question import Question
from streams.time import DAY_MS, day_of

QUESTION = Question(horizon_days=20, snapshot_days=7)
WEEKS = 12
END_MS = QUESTION.next_snapshot_ms(0) + (7 * WEEKS + 30) * DAY_MS

looks = st.sets(st.integers(0, END_MS), max_size=60)
order_days = st.sets(st.integers(0, day_of(END_MS)), max_size=30)
cancellations = st.none() | st.integers(0, END_MS)


def run(looks: set[int], orders: set[int], cancelled_ms: int | None) -> tuple[list[tuple[int, Example]], Album]:
    """A customer's life: snapshots on the grid, and looks in between. Returns (seen at, example), and what waits."""
    grid = [QUESTION.next_snapshot_ms(0) + 7 * week * DAY_MS for week in range(WEEKS)]
    instants = sorted({*looks, *grid, END_MS, *([] if cancelled_ms is None else [cancelled_ms])})
    seen: list[tuple[int, Example]] = []
    pending = EMPTY
    for now_ms in instants:
        known_ms = cancelled_ms if cancelled_ms is not None and cancelled_ms <= now_ms else None
        happened = {day for day in orders if day * DAY_MS <= now_ms}

        def had_activity(first_day: int, end_day: int, happened: set[int] = happened) -> bool:
            return any(first_day <= day < end_day for day in happened)

        examples = mature(pending, now_ms, had_activity, known_ms, QUESTION, "c")
        pending = pending.without(len(examples))
        seen += [(now_ms, example) for example in examples]
        if now_ms in grid and known_ms is None:
            pending = remember(pending, Pending(now_ms, b"", 0.5, 0, "new"), QUESTION)
        assert len(pending) <= QUESTION.pending_max
    return seen, pending


@given(looks, order_days, cancellations)
def test_no_label_comes_before_its_time_and_each_comes_once(
    looks: set[int], orders: set[int], cancelled_ms: int | None
) -> None:
    seen, pending = run(looks, orders, cancelled_ms)
    assert not pending
    taken = [example.taken_ms for _, example in seen]
    asked = [QUESTION.next_snapshot_ms(0) + 7 * week * DAY_MS for week in range(WEEKS)]
    assert sorted(taken) == [at for at in asked if cancelled_ms is None or at < cancelled_ms]
    for now_ms, example in seen:
        end_ms = example.taken_ms + QUESTION.horizon_ms
        assert example.taken_ms <= example.matured_ms <= now_ms
        if example.matured_ms != QUESTION.matures_ms(example.taken_ms):
            assert example.matured_ms == cancelled_ms
            assert example.matured_ms < end_ms
            assert example.label == 1


@given(looks, order_days, cancellations)
def test_labels_do_not_depend_on_when_one_looks(looks: set[int], orders: set[int], cancelled_ms: int | None) -> None:
    often, _ = run(looks, orders, cancelled_ms)
    rarely, _ = run(set(), orders, cancelled_ms)
    assert [example for _, example in often] == [example for _, example in rarely]


@given(order_days)
def test_a_label_is_one_exactly_where_no_order_fell_into_the_horizon(orders: set[int]) -> None:
    seen, _ = run(set(), orders, None)
    for _, example in seen:
        first_day = day_of(example.taken_ms)
        assert example.label == int(not orders & set(range(first_day, first_day + QUESTION.horizon_days)))
