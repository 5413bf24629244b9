from features.timers import TimerQueue


def test_the_queue_stays_within_twice_its_live_timers() -> None:
    timers = TimerQueue()
    for round_ in range(100):
        for customer in range(50):
            timers.update(str(customer), round_ * 1_000 + customer)
    assert len(timers._heap) <= 2 * 50 + 64
    assert len(timers.get(2**50, 1_000)) == 50


def test_a_timer_moved_away_and_back_is_due_once() -> None:
    timers = TimerQueue()
    for due_ms in (5, 9, 5):
        timers.update("a", due_ms)
    timers.update("b", 5)
    assert timers.get(9, 10) == timers.get(9, 10) == [("a", 5), ("b", 5)]


def test_membership_follows_updates() -> None:
    timers = TimerQueue()
    timers.update("a", 5)
    assert "a" in timers
    timers.update("a", None)
    assert "a" not in timers
