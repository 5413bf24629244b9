"""What a customer said and did that tells *why*, beside the vector that tells *whether*: computed only where an alert is told.

Complaints are counted by what they are about (`complaints`, ticket categories). Of the orders the latest `LATEST` order days are held
against those before, by number and not by date: so the comparison keeps pace with everybody's own rhythm.

    order days   | - - - - - before - - - - - | latest 3 |        discount over amount and discount; mean basket
"""

from __future__ import annotations

from typing import Final

from features.catalog import Family, Feature
from features.state import Activity
from features.tickets import CATEGORIES, standing
from features.tiles import OrderTile
from streams.time import DAY_MS

LATEST: Final = 3
"""Order days that are held against those before, of which there must be as many at least."""

UNHAPPY_TENTHS: Final = 20
"""A ticket with a satisfaction up to here (in tenths of a star) is a complaint about the service, whatever it was on."""

_SERVICE: Final = frozenset(CATEGORIES[name] for name in ("delivery", "service", "account"))


def _f(name: str, days: int | None, unit: str, family: Family, default: float, meaning: str) -> Feature:
    return Feature(name, days, unit, family, "linear", default, meaning)


SAID: Final = (
    _f("service_tickets_90d", 90, "tickets", "service", 0, "Tickets on delivery, service or the account opened in 90 days."),
    _f("unhappy_tickets_90d", 90, "tickets", "service", 0, "Tickets of 90 days that were given 2 stars or fewer."),
    _f("price_complaints_90d", 90, "reviews", "price", 0, "Poor reviews in 90 days that name the price."),
    _f("service_complaints_90d", 90, "reviews", "service", 0, "Poor reviews in 90 days that name service or delivery."),
    _f("product_complaints_90d", 90, "reviews", "product", 0, "Poor reviews in 90 days that name the product."),
    _f("rival_complaints_90d", 90, "reviews", "competition", 0, "Poor reviews in 90 days that speak of competitors."),
    _f("plain_complaints_90d", 90, "reviews", "product", 0, "Poor reviews in 90 days that name nothing."),
    _f("discount_share_latest", None, "share", "price", 0, "Discount over amount plus discount, the latest 3 order days."),
    _f("discount_share_before", None, "share", "price", 0, "The same, on the order days of about half a year before those."),
    _f("basket_latest", None, "currency", "price", 0, "Mean order on the latest 3 order days."),
    _f("basket_before", None, "currency", "price", 0, "Mean order on the order days of about half a year before those."),
)  # fmt: skip
"""In the catalogue's form, so that alerts can quote them and the reference page lists them; the model does not see them."""


def said(activity: Activity, end_ms: int) -> dict[str, float]:
    """Return the figures of `SAID` by name, from what happened before `end_ms`."""
    end_day = -(-end_ms // DAY_MS)
    figures = {feature.name: feature.default for feature in SAID}
    _count_tickets(figures, activity, end_day * DAY_MS)
    for tile in activity.review_tiles:
        if end_day - 90 <= tile.day < end_day:
            figures["price_complaints_90d"] += tile.poor_price
            figures["service_complaints_90d"] += tile.poor_service
            figures["product_complaints_90d"] += tile.poor_product
            figures["rival_complaints_90d"] += tile.poor_rivals
            figures["plain_complaints_90d"] += tile.poor_mute
    ordered = [tile for tile in activity.order_tiles if tile.orders and tile.day < end_day]
    if len(ordered) >= 2 * LATEST:
        before, latest = ordered[:-LATEST], ordered[-LATEST:]
        figures["discount_share_latest"], figures["basket_latest"] = _spent(latest)
        figures["discount_share_before"], figures["basket_before"] = _spent(before)
    return figures


def _count_tickets(figures: dict[str, float], activity: Activity, end_ms: int) -> None:
    for ticket in activity.tickets:
        found = standing(ticket, end_ms)
        if found is None or found.opened_ms < end_ms - 90 * DAY_MS:
            continue
        figures["service_tickets_90d"] += found.category in _SERVICE
        figures["unhappy_tickets_90d"] += 0 < found.star_tenths <= UNHAPPY_TENTHS


def _spent(tiles: list[OrderTile]) -> tuple[float, float]:
    """Discount over amount and discount, and the mean order in currency units."""
    amount, discount = sum(tile.amount for tile in tiles), sum(tile.discount for tile in tiles)
    listed = amount + discount
    return (discount / listed if listed else 0.0, amount / sum(tile.orders for tile in tiles) / 1_000)
