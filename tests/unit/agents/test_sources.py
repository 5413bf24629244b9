"""A source that is down is told from customers who have fallen silent."""

import pytest

from agents.sources import silent_topics

HEARD = [{"orders": 1_000, "logins": 5_000}, {"orders": 2_000}]


@pytest.mark.parametrize(
    ("now_ms", "caught_up", "silent"),
    [
        (2_500, {"orders": True, "logins": True}, set()),
        (3_001, {"orders": True, "logins": True}, {"orders"}),
        (3_001, {"orders": False, "logins": True}, set()),
        (9_000, {"orders": True, "logins": True, "reviews": True}, {"orders", "logins"}),
    ],
)
def test_silent_means_heard_before_and_nothing_since_nor_waiting(
    now_ms: int, caught_up: dict[str, bool], silent: set[str]
) -> None:
    assert silent_topics(HEARD, caught_up, now_ms, silent_ms=1_000) == silent
