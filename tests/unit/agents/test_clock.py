"""How far a partition's clock may go: never past what may still come."""

from agents.clock import BELIEF_SPEED, PartitionClock
from agents.meta import Meta
from streams.codec import Arrival, RawRecord
from streams.events import Login
from streams.feed import FAR_MS, MergeFeed

HOUR_MS = 3_600_000
LATENESS_MS = HOUR_MS
NONE, BOTH = frozenset[str](), frozenset({"logins", "reviews"})


def clock(*, live: bool = False, now_ms: int = 0, until_ms: int | None = None) -> PartitionClock:
    return PartitionClock(LATENESS_MS, lambda: now_ms, live=live, until_ms=until_ms)


def feed(**heads: int) -> MergeFeed:
    made = MergeFeed(["logins", "reviews"], 1 << 20)
    for topic, at_ms in heads.items():
        login = Login(event_id="e", customer_id="c", occurred_at=at_ms)
        made.push(topic, [Arrival("logins", login, RawRecord(topic, 0, 0, 0, None, b""))])
    return made


def test_it_does_not_go_by_one_topic_while_another_is_being_fetched() -> None:
    taken = Meta(taken_ms=5 * HOUR_MS)
    assert clock().target_ms(taken, feed(reviews=90 * HOUR_MS), NONE) == 4 * HOUR_MS
    assert clock().target_ms(Meta(), feed(reviews=90 * HOUR_MS), NONE) < 0
    assert clock().target_ms(taken, feed(reviews=90 * HOUR_MS), frozenset({"logins"})) == 89 * HOUR_MS
    assert clock().target_ms(taken, feed(reviews=90 * HOUR_MS, logins=7 * HOUR_MS), NONE) == 6 * HOUR_MS


def test_it_goes_to_the_end_only_where_all_is_taken_in() -> None:
    taken = Meta(taken_ms=5 * HOUR_MS)
    assert clock(until_ms=50 * HOUR_MS).target_ms(taken, feed(), NONE) == 4 * HOUR_MS
    assert clock(until_ms=50 * HOUR_MS).target_ms(taken, feed(), BOTH) == 50 * HOUR_MS
    assert clock().target_ms(taken, feed(), BOTH) == 4 * HOUR_MS


def test_live_it_never_passes_the_wall() -> None:
    ahead = Meta(taken_ms=30 * HOUR_MS)
    for found, ended in ((feed(), NONE), (feed(), BOTH), (feed(reviews=31 * HOUR_MS), BOTH)):
        assert clock(live=True, now_ms=9 * HOUR_MS).target_ms(ahead, found, ended) == 9 * HOUR_MS


def test_it_never_goes_back() -> None:
    meta = Meta(taken_ms=5 * HOUR_MS, clock_ms=8 * HOUR_MS)
    assert clock().target_ms(meta, feed(logins=6 * HOUR_MS), BOTH) == 8 * HOUR_MS
    assert clock().target_ms(meta, feed(), NONE) == 8 * HOUR_MS


WEEK_MS = 168 * HOUR_MS


def live(heard_ms: dict[str, int], now_ms: int = WEEK_MS) -> PartitionClock:
    return PartitionClock(LATENESS_MS, lambda: now_ms, live=True, heard_ms=lambda: heard_ms)


def test_live_it_waits_for_the_topic_that_is_furthest_behind() -> None:
    meta = Meta(heard_ms={"logins": 50 * HOUR_MS, "reviews": 60 * HOUR_MS})
    for heard, held_ms in (({"logins": 50}, 50), ({"logins": 50, "reviews": 60}, 50), ({"reviews": 60}, 60)):
        found = live({topic: hours * HOUR_MS for topic, hours in heard.items()})
        assert found.hold_ms(meta, feed(), BOTH) == held_ms * HOUR_MS
        assert found.target_ms(meta, feed(), BOTH, held_ms * HOUR_MS) == held_ms * HOUR_MS


def test_a_topic_never_heard_is_waited_for_by_nobody() -> None:
    assert live({}).hold_ms(Meta(), feed(), BOTH) == FAR_MS
    assert clock().hold_ms(Meta(heard_ms={"logins": 5}), feed(), BOTH) == FAR_MS


def test_what_lies_in_the_buffer_tells_of_the_time_before_it() -> None:
    meta = Meta(heard_ms={"logins": 50 * HOUR_MS})
    assert live({"logins": 50 * HOUR_MS}).hold_ms(meta, feed(logins=70 * HOUR_MS), BOTH) == 70 * HOUR_MS


def test_other_partitions_tell_only_where_the_topic_is_at_its_end() -> None:
    meta = Meta(heard_ms={"logins": 50 * HOUR_MS})
    found = live({"logins": 90 * HOUR_MS})
    assert found.hold_ms(meta, feed(), NONE) == 50 * HOUR_MS
    assert found.hold_ms(meta, feed(), BOTH) == 90 * HOUR_MS


def test_what_other_partitions_have_heard_is_believed_bit_by_bit() -> None:
    now_ms = WEEK_MS
    found = PartitionClock(LATENESS_MS, lambda: now_ms, live=True, heard_ms=lambda: {"logins": 90 * HOUR_MS})
    meta = Meta(heard_ms={"logins": 50 * HOUR_MS}, clock_ms=40 * HOUR_MS)
    assert found.hold_ms(meta, feed(), BOTH) == 50 * HOUR_MS  # its own word it takes at once
    meta.clock_ms = 50 * HOUR_MS
    for _ in range(3):
        now_ms += HOUR_MS // 100
        meta.clock_ms = found.hold_ms(meta, feed(), BOTH)
    assert meta.clock_ms == 50 * HOUR_MS + 3 * BELIEF_SPEED * HOUR_MS // 100
    now_ms += HOUR_MS
    assert found.hold_ms(meta, feed(), BOTH) == 90 * HOUR_MS


def test_neither_hold_nor_clock_goes_back_where_a_topic_is_heard_for_the_first_time() -> None:
    meta = Meta(heard_ms={"logins": 3 * HOUR_MS}, clock_ms=80 * HOUR_MS)
    assert live({"logins": 3 * HOUR_MS}).hold_ms(meta, feed(), BOTH) == 80 * HOUR_MS


def test_a_late_topic_tells_how_far_event_time_has_come() -> None:
    meta = Meta(taken_ms=90 * HOUR_MS, heard_ms={"logins": 50 * HOUR_MS}, clock_ms=40 * HOUR_MS)
    found = live({"logins": 50 * HOUR_MS})
    assert found.known_ms(meta) == 40 * HOUR_MS
    found.hold_ms(meta, feed(), BOTH)
    assert found.known_ms(meta) == 50 * HOUR_MS
    assert clock().known_ms(meta) == 89 * HOUR_MS
