"""A customer's stored value: data only, the same bytes for the same customer, with a version that is heeded."""

import msgspec
import pytest

from agents import record
from agents.record import CUSTOMER_SCHEMA, Attributes, Customer, decode_customer, encode_customer
from alerts.episode import Episode
from features.state import Activity
from models.labels import Pending, pack_vector
from streams.errors import Corrupt, NewerSchema
from streams.time import DAY_MS
from tests.unit.agents.samples import START_MS, event
from tests.unit.agents.shop import NOON_MS, Shop


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
    assert len(encode_customer(Customer(Activity.empty()))) < 120
    assert len(encode_customer(someone())) < 3_500


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
    monkeypatch.setattr(record, "CUSTOMER_SCHEMA", 3)
    monkeypatch.setattr(record, "MIGRATIONS", {1: lambda payload: payload[::-1], 2: lambda payload: payload[::-1]})
    assert decode_customer(b"\x01" + now) == decode_customer(b"\x03" + now)
    monkeypatch.setattr(record, "MIGRATIONS", {2: lambda payload: payload})
    with pytest.raises(Corrupt, match="never wrote"):
        decode_customer(b"\x01" + now)


def test_a_value_with_more_at_its_end_is_read() -> None:
    plain = msgspec.msgpack.decode(encode_customer(Customer(Activity.empty(), first_ms=5))[1:])
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
    ann.pending = [Pending(7 * DAY_MS, pack_vector([1.0]), 0.5, 1, "new")]
    ann.cancelled_ms = 5
    ann.reduce_to_profile()
    assert ann.attributes is not None
    left = Customer(Activity.empty(), attributes=ann.attributes, first_ms=ann.first_ms)
    left.as_of_ms, left.wake_ms = ann.as_of_ms, ann.wake_ms
    assert ann == left
    assert ann.episode == Episode()
