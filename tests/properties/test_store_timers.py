from hypothesis import given
from hypothesis import strategies as st

from features.timers import TimerQueue

UPDATES = st.lists(st.tuples(st.sampled_from(["a", "b", "c", "é", "\U0001f600"]), st.none() | st.integers(-3, 9)))


@given(UPDATES, st.integers(-4, 10), st.integers(0, 6))
def test_the_queue_equals_a_sorted_dictionary(updates: list[tuple[str, int | None]], until_ms: int, limit: int) -> None:
    queue, plain = TimerQueue(), dict[str, int]()
    for customer_id, due_ms in updates:
        queue.update(customer_id, due_ms)
        plain.pop(customer_id, None)
        if due_ms is not None:
            plain[customer_id] = due_ms
        due = sorted(((at, key.encode(), key) for key, at in plain.items() if at <= until_ms))[:limit]
        assert queue.get(until_ms, limit) == [(key, at) for at, _, key in due]
