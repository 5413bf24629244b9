"""The catalogue: every feature declared once, in the order of the vector.

Names, windows, units and meanings are read from here by the model (which scale), by alerts (which family a reason belongs
to) and by the reference page in `docs/features.md`. `default` is the value where there is nothing to compute it from.
Groups are in the order in which `vector` puts them together; a test holds each to the values it names.
"""

from dataclasses import dataclass
from typing import Final, Literal

Family = Literal["engagement", "price", "service", "product", "competition"]
Scale = Literal["log", "linear"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of the vector: `scale` says whether a linear model should see it or its log1p."""

    name: str
    window_days: int | None
    unit: str
    family: Family
    scale: Scale
    default: float
    meaning: str


def _f(
    name: str, window_days: int | None, unit: str, family: Family, scale: Scale, default: float, meaning: str
) -> Feature:
    return Feature(name, window_days, unit, family, scale, default, meaning)


ORDERS: Final = (
    _f("order_silence_days", None, "days", "engagement", "log", 0, "Days since the last order."),
    _f("orders_7d", 7, "orders", "engagement", "log", 0, "Orders in 7 days."),
    _f("orders_30d", 30, "orders", "engagement", "log", 0, "Orders in 30 days."),
    _f("orders_prev_30d", 30, "orders", "engagement", "log", 0, "Orders in the 30 days before the last 30."),
    _f("orders_90d", 90, "orders", "engagement", "log", 0, "Orders in 90 days."),
    _f("orders_prev_90d", 90, "orders", "engagement", "log", 0, "Orders in the 90 days before the last 90."),
    _f("amount_7d", 7, "currency", "engagement", "log", 0, "Amount ordered in 7 days."),
    _f("amount_30d", 30, "currency", "engagement", "log", 0, "Amount ordered in 30 days."),
    _f("amount_prev_30d", 30, "currency", "engagement", "log", 0, "Amount ordered in the 30 days before the last 30."),
    _f("amount_90d", 90, "currency", "engagement", "log", 0, "Amount ordered in 90 days."),
    _f("order_trend_30d", 60, "ratio", "engagement", "log", 1, "Orders in 30 days over those in the 30 before."),
    _f("order_trend_90d", 180, "ratio", "engagement", "log", 1, "Orders in 90 days over those in the 90 before."),
    _f("items_90d", 90, "items", "engagement", "log", 0, "Items ordered in 90 days."),
    _f("discount_share_90d", 90, "share", "price", "linear", 0, "Discount over list price in 90 days."),
    _f("basket_trend_90d", 90, "ratio", "price", "log", 1, "Mean order in 90 days over the mean order ever."),
    _f("cancelled_orders_90d", 90, "orders", "service", "log", 0, "Orders cancelled in 90 days."),
    _f("returned_orders_90d", 90, "orders", "product", "log", 0, "Orders returned in 90 days."),
)
RHYTHM: Final = (
    _f("gap_mean_days", None, "days", "engagement", "log", 0, "Mean gap between order days."),
    _f("gap_deviation_days", None, "days", "engagement", "log", 0, "Standard deviation of the gaps."),
    _f("gap_max_days", None, "days", "engagement", "log", 0, "Longest gap between order days."),
    _f("gap_last_days", None, "days", "engagement", "log", 0, "Latest gap between order days."),
    _f("gap_slowdown", None, "ratio", "engagement", "log", 1, "Latest gap over the mean gap."),
    _f("silence_over_gap", None, "ratio", "engagement", "log", 0, "Present silence over the mean gap."),
    _f("silence_deviations", None, "deviations", "engagement", "linear", 0, "Silence beyond the mean gap, in deviations."),
)
LIFETIME: Final = (
    _f("tenure_days", None, "days", "engagement", "log", 0, "Days since the customer was first seen."),
    _f("order_days", None, "days", "engagement", "log", 0, "Days with an order, ever."),
    _f("order_rate_30d", None, "orders", "engagement", "log", 0, "Repeat order days per 30 days since the first order."),
    _f("order_span_share", None, "share", "engagement", "linear", 0, "Share of the time since the first order that lies before the last."),
    _f("alive_index", None, "log-odds", "engagement", "linear", 0, "Log-odds of being active still."),
    _f("quiet_index", None, "log-odds", "engagement", "linear", 0, "Log-odds of no order in the next 60 days."),
    _f("amount_per_order", None, "currency", "engagement", "log", 0, "Mean order, ever."),
    _f("amount_lifetime", None, "currency", "engagement", "log", 0, "Amount ordered, ever."),
)
LOGINS: Final = (
    _f("activity_silence_days", None, "days", "engagement", "log", 0, "Days since the last login or order."),
    _f("logins_7d", 7, "logins", "engagement", "log", 0, "Logins in 7 days."),
    _f("logins_30d", 30, "logins", "engagement", "log", 0, "Logins in 30 days."),
    _f("logins_prev_30d", 30, "logins", "engagement", "log", 0, "Logins in the 30 days before the last 30."),
    _f("logins_90d", 90, "logins", "engagement", "log", 0, "Logins in 90 days."),
    _f("login_days_30d", 30, "days", "engagement", "log", 0, "Days with a login in 30 days."),
    _f("login_trend_30d", 60, "ratio", "engagement", "log", 1, "Logins in 30 days over those in the 30 before."),
    _f("session_minutes_30d", 30, "minutes", "engagement", "log", 0, "Mean session in 30 days."),
    _f("login_channels_90d", 90, "channels", "engagement", "log", 0, "Channels used in 90 days."),
)
TICKETS: Final = (
    _f("tickets_30d", 30, "tickets", "service", "log", 0, "Tickets opened in 30 days."),
    _f("tickets_90d", 90, "tickets", "service", "log", 0, "Tickets opened in 90 days."),
    _f("open_tickets", 180, "tickets", "service", "log", 0, "Tickets open now."),
    _f("open_ticket_age_days", 180, "days", "service", "log", 0, "Age of the oldest open ticket."),
    _f("slow_tickets_90d", 90, "tickets", "service", "log", 0, "Tickets that took or have been open more than 3 days."),
    _f("resolve_days_90d", 90, "days", "service", "log", 0, "Mean time to resolve in 90 days."),
    _f("severe_tickets_90d", 90, "tickets", "service", "log", 0, "Tickets of high severity opened in 90 days."),
    _f("satisfaction_90d", 90, "stars", "service", "linear", 3, "Mean satisfaction stated on tickets in 90 days."),
    _f("billing_tickets_90d", 90, "tickets", "price", "log", 0, "Tickets on billing opened in 90 days."),
    _f("product_tickets_90d", 90, "tickets", "product", "log", 0, "Tickets on a product or a return opened in 90 days."),
    _f("leaving_tickets_90d", 90, "tickets", "competition", "log", 0, "Tickets on cancelling opened in 90 days."),
)
REVIEWS: Final = (
    _f("rating_90d", 90, "stars", "product", "linear", 3, "Mean rating in 90 days."),
    _f("rating_trend_90d", 90, "stars", "product", "linear", 0, "Mean rating in 90 days less the mean before."),
    _f("nps_180d", 180, "points", "service", "linear", 7, "Mean answer to a survey in 180 days."),
    _f("price_mentions_90d", 90, "mentions", "price", "log", 0, "Reviews on price in 90 days."),
    _f("service_mentions_90d", 90, "mentions", "service", "log", 0, "Reviews on service or delivery in 90 days."),
    _f("product_mentions_90d", 90, "mentions", "product", "log", 0, "Reviews on the product in 90 days."),
    _f("other_mentions_90d", 90, "mentions", "competition", "log", 0, "Reviews on something else in 90 days."),
    _f("cancellations_180d", 180, "cancellations", "competition", "log", 0, "Explicit cancellations in 180 days."),
)

CATALOG: Final[tuple[Feature, ...]] = ORDERS + RHYTHM + LIFETIME + LOGINS + TICKETS + REVIEWS
NAMES: Final[tuple[str, ...]] = tuple(feature.name for feature in CATALOG)
INDEX: Final[dict[str, int]] = {name: position for position, name in enumerate(NAMES)}
