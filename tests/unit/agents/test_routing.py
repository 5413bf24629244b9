"""Owner and plan travel beside an alert, and the alert itself stays as it was."""

from agents.record import Attributes
from agents.routing import OWNER_HEADER, PLAN_HEADER, routing_headers
from tests.unit.agents.samples import TOPICS, event
from tests.unit.agents.shop import NOON_MS, Shop, said


def alerts_of(shop: Shop) -> list[list[tuple[str, bytes]]]:
    shop.regular("ann")
    effects = shop.wait(40)
    assert said(effects)
    return [sent.headers for sent in effects.outgoing if sent.topic == TOPICS.alerts]


def test_an_alert_carries_owner_and_plan_of_the_profile() -> None:
    shop = Shop()
    shop.take(event("profiles", "ann", NOON_MS, owner="Zoë", plan="gold"))
    assert alerts_of(shop)[0] == [(OWNER_HEADER, "Zoë".encode()), (PLAN_HEADER, b"gold")]


def test_an_alert_on_somebody_without_a_profile_carries_none() -> None:
    assert alerts_of(Shop())[0] == []


def test_what_is_no_unicode_text_stops_no_alert() -> None:
    assert routing_headers(Attributes(0, owner="\ud800", plan="")) == [(OWNER_HEADER, b"?")]
