"""How far a partition's clock may go: never past what may still come."""

from agents.clock import PartitionClock
from agents.meta import Meta
from streams.codec import Arrival, RawRecord
from streams.events import Login
from streams.feed import MergeFeed

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
