"""A customer's stored value: data only, the same bytes for the same customer, with a version that is heeded."""

from typing import get_args

import msgspec
import pytest
from msgspec.structs import replace

from agents import record
from agents.record import CUSTOMER_SCHEMA, Attributes, Customer, First, decode_customer, encode_customer
from agents.written import WORDS
from alerts.alert import Code
from alerts.episode import Episode
from alerts.segments import SEGMENTS
from alerts.trials import Trial
from churnwatch.playbook_file import read_playbook
from features.state import Activity
from models.album import Album
from models.labels import TREATED, WARNED, Pending, Touch, pack_vector
from streams.errors import Corrupt, NewerSchema
from streams.events import OutcomeStatus
from streams.time import DAY_MS, INSTANT_MAX_MS
from tests.unit.agents.samples import START_MS, event
from tests.unit.agents.shop import NOON_MS, Shop

SCHEMA_1 = (
    "019d9ccf000000c6596f7000cf000000c678559805c0a3455552cd268ac09197cd268a02cd13880000000090909090c40a268a61626364"
    "656667689195cf000000c67d7bf400c408000040400000003fcb3fd000000000000007a56c6f79616cdc001bcd268400c2000000a36c6f"
    "77cb0000000000000000cb3fc0000000000000cb0000000000000000cb0000000000000000cb00000000000000000000a0a56c6f79616c"
    "cb0000000000000000c2c20000a000a0a00000c0cf000000c6596f7000cf000000c682a25000cf000000c6a1887800cb3fc00000000000"
    "00a57761746368c081a9636172655f63616c6ccf000000c67d7bf400c09192cf000000c67d7bf40001"
)
"""A customer with two orders on a day, a waiting snapshot, a suggestion and a warning, from before schema 2."""


def someone() -> Customer:
    shop = Shop()
    shop.regular("ann", orders=8)
    shop.take(event("profiles", "ann", NOON_MS, owner="Ö", annual_value=12.5, signed_up_at=1))
    shop.take(event("logins", "ann", shop.clock_ms, channel="app"))
    shop.take(event("reviews", "ann", shop.clock_ms, nps=3, topics=["price"]))
    shop.take(event("tickets", "ann", shop.clock_ms, ticket_id="t", status="opened"))
    shop.wait(30)
    return shop.customers["ann"]


def test_a_customer_survives_the_store() -> None:
    ann = someone()
    value = encode_customer(ann)
    read = decode_customer(value)
    assert read == ann
    assert encode_customer(read) == value
    assert value[0] == CUSTOMER_SCHEMA


def test_what_is_kept_stays_small() -> None:
    assert len(encode_customer(Customer(Activity.empty()))) < 40
    assert len(encode_customer(someone())) < 1_300


def test_a_newer_value_is_refused() -> None:
    with pytest.raises(NewerSchema, match="upgrade"):
        decode_customer(bytes((CUSTOMER_SCHEMA + 1,)) + b"whatever")


@pytest.mark.parametrize(
    "value", [b"", b"\x00\x90", b"\x01", b"\x01\xc1", b"\x01\x80", b"\x01\x93\x01\x02\x03", b"\x01\xa1\xff"]
)
def test_what_is_no_customer_is_refused_with_advice(value: bytes) -> None:
    with pytest.raises(Corrupt, match="delete the key"):
        decode_customer(value)


def test_an_older_value_is_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    now = encode_customer(someone())[1:]
    monkeypatch.setattr(record, "CUSTOMER_SCHEMA", 4)
    monkeypatch.setattr(record, "MIGRATIONS", {2: lambda payload: payload[::-1], 3: lambda payload: payload[::-1]})
    assert decode_customer(b"\x02" + now) == decode_customer(b"\x04" + now)
    monkeypatch.setattr(record, "MIGRATIONS", {3: lambda payload: payload})
    with pytest.raises(Corrupt, match="never wrote"):
        decode_customer(b"\x02" + now)


def first_written(customer: Customer) -> bytes:
    """The customer as schema 1 was written, field by field."""
    fields = [getattr(customer, name) for name in First.__struct_fields__]
    return b"\x01" + msgspec.msgpack.encode([list(one) if isinstance(one, Album) else one for one in fields])


def test_a_value_of_schema_1_is_the_same_customer() -> None:
    ann = someone()
    assert ann.pending
    assert ann.trial
    ann.suggested = {"care_call": 9 * DAY_MS, "of our own": 8 * DAY_MS, "win_back": 9 * DAY_MS}
    assert decode_customer(first_written(ann)) == ann
    assert decode_customer(first_written(Customer(Activity.empty()))) == Customer(Activity.empty())


def test_a_value_that_schema_1_really_wrote_is_read() -> None:
    value = bytes.fromhex(SCHEMA_1)
    ann = decode_customer(value)
    assert (ann.activity.orders, ann.band, ann.wake_ms, ann.episode.segment) == (2, "watch", 9_874 * DAY_MS, "loyal")
    (asked,) = ann.pending
    assert asked == Pending(9_867 * DAY_MS, pack_vector([3.0, 0.5]), 0.25, 7, "loyal")
    assert first_written(ann) == value


@pytest.mark.parametrize(
    "snapshots",
    [
        [(-1, b"", 0.5, 0, "new")],
        [(0, b"", 1.5, 0, "new")],
        [(0, b"", 0.5, -1, "new")],
        [(0, b"\0" * 5_000, 0.5, 0, "new")],
        [(0, b"", 0.5, 0, "new")] * 5_000,
    ],
)
def test_a_forged_snapshot_of_schema_1_is_refused(snapshots: list[object]) -> None:
    plain = [Activity.empty(), snapshots, Episode()]
    with pytest.raises(Corrupt, match="delete the key"):
        decode_customer(b"\x01" + msgspec.msgpack.encode(plain))


@pytest.mark.parametrize("cut", ["heads", "rows", "size"])
def test_snapshots_whose_parts_do_not_fit_together_are_refused(cut: str) -> None:
    ann = someone()
    wrong = ann.pending.size + 64 if cut == "size" else getattr(ann.pending, cut)[:-1]
    ann.pending = replace(ann.pending, **{cut: wrong})
    with pytest.raises(Corrupt, match="fit together"):
        decode_customer(encode_customer(ann))


def test_what_is_empty_or_zero_is_read_as_it_was() -> None:
    plain = Customer(Activity.empty(), cancelled_ms=0, attributes=Attributes(0), suggested={"": 0, "care_call": 0})
    plain.trial = Trial(0, 0, 0, False, "", "", "of our own", 0, "accepted", "", 0, True)
    plain.activity.first_seen_ms = 5
    plain.activity.last_order_ms = 0
    assert decode_customer(encode_customer(plain)) == plain


def test_whatever_the_playbook_brings_along_is_written_as_a_number() -> None:
    codes = {play.code for play in read_playbook(None)}
    assert {*SEGMENTS, *codes, *get_args(Code), *get_args(OutcomeStatus)} <= {*WORDS}
    assert len({*WORDS}) == len(WORDS)


def test_a_value_with_more_at_its_end_is_read() -> None:
    plain = msgspec.msgpack.decode(encode_customer(Customer(Activity.empty(), first_ms=5, cancelled_ms=7))[1:])
    longer = bytes((CUSTOMER_SCHEMA,)) + msgspec.msgpack.encode([*plain, "of a later release with the same schema"])
    assert decode_customer(longer).first_ms == 5


def test_presence_is_the_last_order_or_login_else_the_first_record() -> None:
    shop = Shop()
    shop.take(event("tickets", "ann", NOON_MS + 1, ticket_id="t", status="opened"))
    assert shop.customers["ann"].present_ms == NOON_MS + 1
    shop.take(event("logins", "ann", NOON_MS + 2))
    assert shop.customers["ann"].present_ms == NOON_MS + 2


def test_a_profile_says_nothing_once_all_of_it_is_taken_back() -> None:
    assert Attributes(START_MS).says_nothing
    assert not Attributes(START_MS, do_not_contact=True).says_nothing
    assert not Attributes(START_MS, plan="").says_nothing


def test_nothing_but_the_profile_is_left_by_its_reduction() -> None:
    ann = someone()
    ann.pending = Album.of([Pending(7 * DAY_MS, pack_vector([1.0]), 0.5, 1, "new")])
    ann.cancelled_ms = 5
    ann.reduce_to_profile()
    assert ann.attributes is not None
    left = Customer(Activity.empty(), attributes=ann.attributes, first_ms=ann.first_ms)
    left.as_of_ms, left.wake_ms = ann.as_of_ms, ann.wake_ms
    assert ann == left
    assert ann.episode == Episode()


def test_a_touch_that_no_snapshot_can_be_reached_by_is_not_written() -> None:
    ann = Customer(Activity.empty(), as_of_ms=29 * DAY_MS, wake_ms=30 * DAY_MS)
    early, late = Touch(7 * DAY_MS - 1, TREATED), Touch(7 * DAY_MS, WARNED)
    ann.touches = [early, late]
    ann.pending = Album.of([Pending(7 * DAY_MS, pack_vector([1.0]), 0.5, 1, "new")])
    assert decode_customer(encode_customer(ann)).touches == [late]
    ann.pending = ann.pending.without(1)
    assert decode_customer(encode_customer(ann)).touches == []
    ann.wake_ms = 5 * DAY_MS  # overdue: its snapshot is yet to be taken
    assert decode_customer(encode_customer(ann)).touches == [early, late]


@pytest.mark.parametrize("at_ms", [0, 1, 999, 1_000, INSTANT_MAX_MS - 1, INSTANT_MAX_MS])
def test_an_instant_is_kept_to_the_millisecond(at_ms: int) -> None:
    assert decode_customer(encode_customer(Customer(Activity.empty(), wake_ms=at_ms))).wake_ms == at_ms


@pytest.mark.parametrize("touches", [[5, 4], [5, -1], [5], [INSTANT_MAX_MS, 1]])
def test_forged_touches_are_refused(touches: list[int]) -> None:
    line = [Activity.empty(), 0, 0, 0, 0, [], None, None, None, touches]
    with pytest.raises(Corrupt, match="delete the key"):
        decode_customer(bytes((CUSTOMER_SCHEMA,)) + msgspec.msgpack.encode(line))
