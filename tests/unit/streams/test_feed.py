"""The merge feed: several topics in, one sequence in event-time order out."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.codec import Arrival, RawRecord, Rejected
from streams.events import Login
from streams.feed import NO_TIME_MS, RECORD_BYTES, Batch, MergeFeed

Item = Arrival | Rejected
TOPICS = ("logins", "orders", "reviews")
ALL = frozenset(TOPICS)
LOTS = 1 << 30


def at(topic: str, offset: int, at_ms: int, value: bytes | None = b"{}") -> Arrival:
    record = RawRecord(topic, 0, offset, 0, b"c", value)
    return Arrival(topic, Login(event_id=f"{topic}-{offset}", customer_id="c", occurred_at=at_ms), record)


def bad(topic: str, offset: int) -> Rejected:
    return Rejected(RawRecord(topic, 0, offset, 0, None, b"{"), "malformed", "ValueError", "", "decode")


def feed(**times: Sequence[int]) -> MergeFeed:
    made = MergeFeed(TOPICS, LOTS)
    for topic, instants in times.items():
        made.push(topic, [at(topic, offset, at_ms) for offset, at_ms in enumerate(instants)])
    return made


def take(
    found: MergeFeed,
    events_max: int = LOTS,
    bytes_max: int = LOTS,
    before_ms: int | None = None,
    ended: frozenset[str] = ALL,
) -> Batch:
    return found.take(events_max, bytes_max, before_ms, ended)


def names(batch: Batch) -> list[str]:
    return [f"{item.record.topic}{item.record.offset}" for item in batch.items]


#   logins   1 . . 4 . 6          orders   . 2 3 . . . 7
def test_records_come_in_event_time_order() -> None:
    batch = take(feed(logins=[1, 4, 6], orders=[2, 3, 7]))
    assert names(batch) == ["logins0", "orders0", "orders1", "logins1", "logins2", "orders2"]
    assert batch.next_offsets == {"logins": 3, "orders": 3}
    assert max(batch.heard_ms.values()) == 7


def test_of_equal_times_the_topics_name_decides() -> None:
    assert names(take(feed(reviews=[5], orders=[5, 5], logins=[5]))) == ["logins0", "orders0", "orders1", "reviews0"]


def test_within_a_topic_the_log_s_own_order_is_kept() -> None:
    assert names(take(feed(logins=[9, 1], orders=[5]))) == ["orders0", "logins0", "logins1"]


def test_a_topic_that_is_slow_holds_the_merge_back_and_one_at_its_end_does_not() -> None:
    found = feed(orders=[1, 2])
    assert names(take(found, ended=frozenset({"logins"}))) == []
    assert found.waiting_for(frozenset({"logins"})) == ["reviews"]
    assert found.waiting_for(ALL) == []
    assert names(take(found, ended=frozenset({"logins", "reviews"}))) == ["orders0", "orders1"]


def test_it_stops_where_a_topic_runs_dry() -> None:
    found = feed(logins=[1, 2, 9], orders=[3])
    assert names(take(found, ended=frozenset({"reviews"}))) == ["logins0", "logins1", "orders0"]
    found.push("orders", [at("orders", 1, 4)])
    assert names(take(found, ended=frozenset({"reviews", "orders"}))) == ["orders1", "logins2"]


def test_it_stops_before_the_limit() -> None:
    found = feed(logins=[1, 5], orders=[4, 6])
    assert names(take(found, before_ms=5)) == ["logins0", "orders0"]
    assert names(take(found, before_ms=5)) == []
    assert names(take(found, before_ms=6)) == ["logins1"]
    assert len(found) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_batch_is_bounded_by_number(size: int) -> None:
    found = feed(logins=range(0, 20, 2), orders=range(1, 20, 2))
    batches = []
    while len(found):
        batches.append(take(found, events_max=size))
    assert max(len(batch.items) for batch in batches) <= size
    assert [item.event.occurred_at for batch in batches for item in batch.items if isinstance(item, Arrival)] == list(
        range(20)
    )


def test_a_batch_is_bounded_by_bytes_but_never_empty_for_it() -> None:
    found = MergeFeed(TOPICS, LOTS)
    found.push("logins", [at("logins", offset, offset, b"x" * 1_000) for offset in range(4)])
    assert len(take(found, bytes_max=1).items) == 1
    assert len(take(found, bytes_max=RECORD_BYTES + 1_001).items) == 2


def test_what_could_not_be_decoded_and_tombstones_wait_for_nothing() -> None:
    found = feed(orders=[1])
    found.push("logins", [bad("logins", 0), at("logins", 1, 99, None), at("logins", 2, 2)])
    assert found.head_ms() == NO_TIME_MS
    batch = take(found, before_ms=2)
    assert names(batch) == ["logins0", "logins1", "orders0"]
    assert max(batch.heard_ms.values()) == 1
    assert found.head_ms() == 2


def test_an_empty_batch_has_no_time() -> None:
    batch = take(feed())
    assert (list(batch.items), batch.next_offsets, batch.heard_ms) == ([], {}, {})
    assert feed().head_ms() is None


def test_offsets_follow_the_records_whatever_the_gaps_between_them() -> None:
    found = MergeFeed(TOPICS, LOTS)
    found.push("orders", [at("orders", 17, 1), at("orders", 40, 2)])
    assert take(found, events_max=1).next_offsets == {"orders": 18}
    assert take(found).next_offsets == {"orders": 41}


def test_a_topic_is_full_from_its_share_on_and_drained_at_half_of_it() -> None:
    found = MergeFeed(TOPICS, 3 * 4 * RECORD_BYTES)
    found.push("logins", [at("logins", offset, offset, b"") for offset in range(4)])
    found.push("orders", [at("orders", offset, offset, b"") for offset in range(3)])
    assert [found.full(topic) for topic in TOPICS] == [True, False, False]
    take(found, events_max=2)
    assert not found.full("logins")
    assert not found.drained("logins")
    take(found, events_max=2)
    assert found.drained("logins")


def test_what_is_forgotten_can_be_pushed_again() -> None:
    found = feed(logins=[1, 2])
    found.clear()
    assert (len(found), found.head_ms(), found.drained("logins")) == (0, None, True)
    found.push("logins", [at("logins", 0, 1)])
    assert names(take(found)) == ["logins0"]


UNHURRIED = settings(max_examples=60, deadline=None)
times = st.lists(st.integers(0, 30), max_size=12)
sizes = st.lists(st.integers(1, 5), min_size=1, max_size=8)


@UNHURRIED
@given(times, times, times, sizes)
def test_how_it_is_cut_makes_no_difference(
    logins: list[int], orders: list[int], reviews: list[int], cuts: list[int]
) -> None:
    whole = names(take(feed(logins=logins, orders=orders, reviews=reviews)))
    found = feed(logins=logins, orders=orders, reviews=reviews)
    pieces: list[str] = []
    while len(found):
        pieces += names(take(found, events_max=cuts[len(pieces) % len(cuts)]))
    assert pieces == whole


@UNHURRIED
@given(times, times, st.lists(st.tuples(st.sampled_from(["logins", "orders"]), st.integers(1, 4)), max_size=20))
def test_nor_does_how_it_is_fetched(logins: list[int], orders: list[int], fetches: list[tuple[str, int]]) -> None:
    logs = {"logins": logins, "orders": orders, "reviews": []}
    whole = names(take(feed(logins=logins, orders=orders)))
    found, fetched, pieces = MergeFeed(TOPICS, LOTS), dict.fromkeys(TOPICS, 0), list[str]()
    for topic, number in [*fetches, ("logins", LOTS), ("orders", LOTS)]:
        first = fetched[topic]
        last = min(first + number, len(logs[topic]))
        found.push(topic, [at(topic, offset, logs[topic][offset]) for offset in range(first, last)])
        fetched[topic] = last
        pieces += names(take(found, ended=frozenset(name for name in TOPICS if fetched[name] >= len(logs[name]))))
    assert pieces == whole


@UNHURRIED
@given(times, times)
def test_sorted_topics_make_a_sorted_whole(logins: list[int], orders: list[int]) -> None:
    batch = take(feed(logins=sorted(logins), orders=sorted(orders)))
    came = [item.event.occurred_at for item in batch.items if isinstance(item, Arrival)]
    assert came == sorted(logins + orders)
