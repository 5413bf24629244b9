"""One customer's state: what counts as what, what is kept, and how small it stays."""

import msgspec
import pytest

from features.state import CANCELLATIONS_MAX, Activity, apply, prune
from features.tiles import RETENTION_DAYS
from tests.unit.features.samples import DAY_0, at, event, feed

BYTES_MAX = 200


def stored(activity: Activity) -> bytes:
    return msgspec.msgpack.encode(activity)


def test_an_event_counts_once_under_whatever_time_it_comes_again() -> None:
    activity = Activity.empty()
    first = event("orders", 5)
    assert apply(activity, "orders", first)
    before = stored(activity)
    assert not apply(activity, "orders", first)
    assert not apply(activity, "orders", msgspec.structs.replace(first, occurred_at=at(9)))
    assert stored(activity) == before


def test_an_unknown_stream_is_refused_and_changes_nothing() -> None:
    activity = Activity.empty()
    with pytest.raises(KeyError):
        apply(activity, "profiles", event("logins", 1))
    assert activity == Activity.empty()


def test_only_placed_orders_are_orders() -> None:
    activity = feed(Activity.empty(), "orders", 1, 3, amount=20.5)
    feed(activity, "orders", 8, status="cancelled")
    feed(activity, "orders", 9, status="returned")
    assert (activity.orders, activity.order_days, activity.amount) == (2, 2, 41.0)
    assert activity.last_order_ms == activity.last_activity_ms == at(3)
    assert not activity.orders_between(DAY_0 + 8, DAY_0 + 10)
    assert activity.activity_between(DAY_0 + 8, DAY_0 + 9)


@pytest.mark.parametrize("stream", ["tickets", "reviews"])
def test_contact_is_no_activity_but_says_that_the_customer_is_there(stream: str) -> None:
    fields = {"status": "opened"} if stream == "tickets" else {"rating": 2}
    activity = feed(Activity.empty(), stream, 4.5, **fields)
    assert activity.last_activity_ms is None
    assert activity.first_seen_ms == at(4.5)
    assert activity.activity_between(DAY_0 + 4, DAY_0 + 5)
    assert not activity.activity_between(DAY_0 + 5, DAY_0 + 9)
    assert not activity.activity_between(DAY_0, DAY_0 + 4)


def test_a_cancellation_is_not_a_sign_of_staying() -> None:
    activity = feed(Activity.empty(), "cancellations", 4, 2)
    assert activity.cancelled_ms == at(4)
    assert not activity.activity_between(DAY_0, DAY_0 + 9)
    assert Activity.empty().cancelled_ms is None


def test_cancellations_are_bounded_to_the_latest() -> None:
    activity = feed(Activity.empty(), "cancellations", *range(CANCELLATIONS_MAX, -1, -1))
    assert activity.cancellations == [at(day) for day in range(1, CANCELLATIONS_MAX + 1)]


def test_last_activity_is_the_later_of_order_and_login() -> None:
    activity = feed(Activity.empty(), "logins", 7, 2)
    assert (activity.last_activity_ms, activity.last_order_ms, activity.last_login_ms) == (at(7), None, at(7))
    feed(activity, "orders", 9, 8)
    assert (activity.last_activity_ms, activity.last_order_ms, activity.first_seen_ms) == (at(9), at(9), at(2))


def test_the_currency_is_that_of_the_latest_day_that_names_one() -> None:
    activity = feed(Activity.empty(), "orders", 5, currency="EUR")
    feed(activity, "orders", 9)
    feed(activity, "orders", 3, currency="USD")
    assert activity.currency == "EUR"
    feed(activity, "orders", 5, currency="GBP")
    feed(activity, "orders", 5, currency="CHF")
    assert activity.currency == "GBP"  # one of a day, always the same one


def test_orders_between_is_half_open() -> None:
    activity = feed(Activity.empty(), "orders", 10, 20)
    asked = [(10, 11), (9, 10), (11, 20), (11, 21), (20, 21), (21, 99), (0, 99)]
    found = [activity.orders_between(DAY_0 + first, DAY_0 + end) for first, end in asked]
    assert found == [True, False, False, True, True, False, True]


def test_the_mean_gap_is_between_order_days_else_login_days() -> None:
    activity = Activity.empty()
    assert activity.mean_gap_days() is None
    feed(activity, "logins", 0, 0.5, 4)
    assert activity.mean_gap_days() == 4.0
    feed(activity, "orders", 3)
    assert activity.mean_gap_days() == 4.0
    feed(activity, "orders", 13, 13.1, 18)
    assert activity.mean_gap_days() == 7.5


def test_pruning_keeps_what_a_lifetime_figure_needs() -> None:
    activity = feed(Activity.empty(), "orders", 0, 10, 40, 200, amount=2.5)
    feed(activity, "logins", 1)
    feed(activity, "reviews", 2, rating=4)
    feed(activity, "tickets", 3, status="opened")
    whole = activity.orders, activity.amount, activity.order_days, activity.mean_gap_days()
    prune(activity, at(RETENTION_DAYS + 40))
    assert [tile.day - DAY_0 for tile in activity.order_tiles] == [40, 200]
    assert (activity.login_tiles, activity.review_tiles, activity.tickets) == ([], [], [])
    assert len(activity.seen) == 20
    assert (activity.orders, activity.amount, activity.order_days, activity.mean_gap_days()) == whole


def test_pruning_is_for_days_older_than_the_retention_only() -> None:
    activity = feed(Activity.empty(), "orders", 1)
    before = stored(activity)
    prune(activity, at(RETENTION_DAYS + 1.9))
    assert stored(activity) == before
    prune(activity, at(RETENTION_DAYS + 2))
    assert activity.order_tiles == []
    assert activity.seen == b""


def test_a_huge_amount_neither_overflows_nor_keeps_the_state_from_the_store() -> None:
    activity = feed(Activity.empty(), "orders", *([1] * 30), amount=1e12, discount=1e12, items=1e9)
    assert activity.amount == 3e13
    activity.order_tiles[0].amount = 2**62
    feed(activity, "orders", 1, 1, amount=1e12)
    assert msgspec.msgpack.decode(stored(activity), type=Activity) == activity


def test_the_state_is_small() -> None:
    one = feed(Activity.empty(), "orders", 1.5, currency="EUR", amount=25.99, items=2)
    assert len(stored(one)) < BYTES_MAX / 2
    busy = feed(Activity.empty(), "orders", *range(20), currency="EUR", amount=119.99, items=3)
    feed(busy, "logins", *range(20), channel="app", session_seconds=340)
    assert len(stored(busy)) < 5 * BYTES_MAX
