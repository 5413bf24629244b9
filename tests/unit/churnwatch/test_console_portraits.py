"""What the console shows of a customer is what the state says."""

from typing import Any

from agents.record import Attributes, Customer, decode_customer, encode_customer
from churnwatch.compose import first_guide
from churnwatch.console_portraits import portrait_of
from console.portrait import Moment
from features.catalog import CATALOG
from features.state import Activity, apply
from models.album import Album
from models.labels import Pending, pack_vector
from streams.events import Cancellation, Login, Order, Review, Ticket
from streams.time import DAY_MS, parse_instant

START_MS = parse_instant("2026-01-05T00:00:00Z")


def day(number: int, hour: int = 9) -> int:
    return START_MS + number * DAY_MS + hour * 3_600_000


def known() -> Customer:
    activity = Activity.empty()
    who: dict[str, Any] = {"customer_id": "ann"}
    for n, amount in ((0, 40.0), (10, 60.0)):
        apply(
            activity,
            "orders",
            Order(event_id=f"o{n}", occurred_at=day(n), order_id=f"o{n}", amount=amount, currency="EUR", **who),
        )
    returned = Order(event_id="r", occurred_at=day(11), order_id="o10", amount=60.0, status="returned", **who)
    apply(activity, "orders", returned)
    for n in range(3):
        apply(activity, "logins", Login(event_id=f"l{n}", occurred_at=day(12, n), **who))
    for status, n in (("opened", 13), ("resolved", 15)):
        apply(activity, "tickets", Ticket(event_id=status, occurred_at=day(n), ticket_id="t", status=status, **who))  # type: ignore[arg-type]
    apply(activity, "reviews", Review(event_id="v", occurred_at=day(16), rating=2.0, **who))
    apply(activity, "cancellations", Cancellation(event_id="c", occurred_at=day(20), **who))
    waiting = Pending(day(14, 0), pack_vector([0.0] * len(CATALOG)), 0.4, 0, "loyal")
    return Customer(
        activity,
        pending=Album.of([waiting]),
        attributes=Attributes(day(1), owner="Zoë", annual_value=1234.5, do_not_contact=True, signed_up_ms=day(0)),
        first_ms=day(0),
        as_of_ms=day(21),
        band="high",
    )


def test_a_portrait_says_what_the_state_says() -> None:
    customer = decode_customer(encode_customer(known()))
    seen = portrait_of("ann", 3, customer, first_guide(), "orders")
    assert (seen.customer_id, seen.partition, seen.as_of_ms, seen.band, seen.basis) == (
        "ann",
        3,
        day(21),
        "high",
        "rule",
    )
    assert seen.facts["orders"] == 2
    assert seen.facts["amount"] == 100
    assert (seen.facts["order_silence_days"], seen.facts["login_silence_days"]) == (11, 9)
    assert seen.profile == {"owner": "Zoë", "signed_up": "2026-01-05", "annual_value": "1234.50"}
    assert seen.do_not_contact
    assert seen.outlook == "", "the rule cannot be asked what would help"
    assert seen.worth[0].startswith("Worth 1,234.50 EUR")
    assert [at_ms for at_ms, _ in seen.risks] == [day(14, 0), day(21)]
    assert list(seen.moments) == [
        Moment(day(20), "cancellation"),
        Moment(day(16, 0), "reviews", 1, 2.0),
        Moment(day(15), "ticket_resolved"),
        Moment(day(13), "ticket_opened"),
        Moment(day(12, 0), "logins", 3),
        Moment(day(11, 0), "returned"),
        Moment(day(10, 0), "orders", 1, 60.0),
        Moment(day(0, 0), "orders", 1, 40.0),
    ]


def test_of_one_without_anything_there_is_little_to_show() -> None:
    seen = portrait_of(
        "bob", 0, Customer(Activity.empty(), first_ms=START_MS, as_of_ms=day(1)), first_guide(), "orders"
    )
    assert (seen.moments, seen.profile, seen.currency) == ([], {}, None)
    assert 0 <= seen.risk <= 1
