"""The catalogue: every feature declared once, in the order of the vector.

Names, windows, units and meanings are read from here by the model (which scale), by alerts (which family a reason belongs
to) and by the reference page, `docs/features.md`. Each group is one function of `vector`, and tests hold the two together.
"""

from dataclasses import dataclass
from typing import Final, Literal

Family = Literal["engagement", "price", "service", "product", "competition"]
Scale = Literal["log", "linear"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of the vector.

    Attributes:
        name: its key everywhere: in alerts, examples and the reference page.
        window_days: days before the instant that it looks at; None for all there is.
        unit: what it counts.
        family: the kind of reason that it speaks for.
        scale: "log" where a linear model should see its log1p (never below 0), "linear" where its value.
        default: its value for a customer of whom there is nothing to compute it from.
        meaning: one plain sentence.
    """

    name: str
    window_days: int | None
    unit: str
    family: Family
    scale: Scale
    default: float
    meaning: str


_f = Feature  # short, so that most declarations fit on a line

ORDERS: Final = (
    _f("order_silence_days", None, "days", "engagement", "log", 0, "Whole days since the day of the last order."),
    _f("orders_7d", 7, "orders", "engagement", "log", 0, "Orders placed in 7 days."),
    _f("orders_30d", 30, "orders", "engagement", "log", 0, "Orders placed in 30 days."),
    _f("orders_prev_30d", 60, "orders", "engagement", "log", 0, "Orders placed in the 30 days before the last 30."),
    _f("orders_90d", 90, "orders", "engagement", "log", 0, "Orders placed in 90 days."),
    _f("orders_prev_90d", 180, "orders", "engagement", "log", 0, "Orders placed in the 90 days before the last 90."),
    _f("amount_7d", 7, "currency", "engagement", "log", 0, "Amount ordered in 7 days."),
    _f("amount_30d", 30, "currency", "engagement", "log", 0, "Amount ordered in 30 days."),
    _f("amount_prev_30d", 60, "currency", "engagement", "log", 0, "Amount ordered in the 30 days before the last 30."),
    _f("amount_90d", 90, "currency", "engagement", "log", 0, "Amount ordered in 90 days."),
    _f("order_trend_30d", 60, "ratio", "engagement", "log", 1, "Orders in 30 days over the 30 before, each plus one."),
    _f("order_trend_90d", 180, "ratio", "engagement", "log", 1, "Orders in 90 days over the 90 before, each plus one."),
    _f("items_90d", 90, "items", "engagement", "log", 0, "Items ordered in 90 days."),
    _f("discount_share_90d", 90, "share", "price", "linear", 0, "Discount over amount plus discount in 90 days."),
    _f("basket_trend_90d", 90, "ratio", "price", "log", 1, "Mean order of 90 days over the mean order ever."),
    _f("cancelled_orders_90d", 90, "orders", "service", "log", 0, "Orders cancelled in 90 days."),
    _f("returned_orders_90d", 90, "orders", "product", "log", 0, "Orders returned in 90 days."),
)
RHYTHM: Final = (
    _f("gap_mean_days", None, "days", "engagement", "log", 0, "Mean gap between days with an order."),
    _f("gap_deviation_days", None, "days", "engagement", "log", 0, "Standard deviation of those gaps."),
    _f("gap_max_days", None, "days", "engagement", "log", 0, "Longest of those gaps."),
    _f("gap_last_days", None, "days", "engagement", "log", 0, "Latest of those gaps."),
    _f("gap_slowdown", None, "ratio", "engagement", "log", 1, "Latest gap over the mean gap, each plus 30 days."),
    _f(
        "silence_over_gap", None, "ratio", "engagement", "log", 0,
        "Present silence over the usual gap, which counts one more of 30 days (login days where there are no orders).",
    ),
    _f(
        "silence_deviations", None, "deviations", "engagement", "linear", 0,
        "Present silence less the usual gap, in standard deviations of the gaps, at most 12 either way.",
    ),
)  # fmt: skip
LIFETIME: Final = (
    _f("tenure_days", None, "days", "engagement", "log", 0, "Whole days since the customer was first seen."),
    _f("order_days", None, "days", "engagement", "log", 0, "Days with an order, ever."),
    _f(
        "order_rate_30d", None, "days", "engagement", "log", 0,
        "Days with an order after the first, per 30 days since the first (login days where there are no orders).",
    ),
    _f(
        "order_span_share", None, "share", "engagement", "linear", 0,
        "Share of the time since the first order that had passed at the last (logins where there are no orders).",
    ),
    _f("alive_index", None, "log-odds", "engagement", "linear", 0, "Log-odds, by BG/NBD, of not having left for good."),
    _f("quiet_index", None, "log-odds", "engagement", "linear", 0, "Log-odds, by BG/NBD, of no order in 60 days."),
    _f("amount_per_order", None, "currency", "engagement", "log", 0, "Mean order, ever."),
    _f("amount_lifetime", None, "currency", "engagement", "log", 0, "Amount ordered, ever."),
)  # fmt: skip
PRESENCE_ENDS: Final = (7, 14, 21, 30, 45, 60, 90, 120, 150, 180, 240, 305, 365)
"""Last age in days of each stretch of the past year; the day before the instant has age 1."""

PRESENCE: Final = tuple(
    _f(
        f"ordered_{before + 1}_{end}d", end, "yes or no", "engagement", "linear", 0,
        f"Whether there was an order {before + 1} to {end} days before: 1 or 0.",
    )
    for before, end in zip((0, *PRESENCE_ENDS), PRESENCE_ENDS, strict=False)
)  # fmt: skip
LOGINS: Final = (
    _f("activity_silence_days", None, "days", "engagement", "log", 0, "Whole days since the last login or order."),
    _f("logins_7d", 7, "logins", "engagement", "log", 0, "Logins in 7 days."),
    _f("logins_30d", 30, "logins", "engagement", "log", 0, "Logins in 30 days."),
    _f("logins_prev_30d", 60, "logins", "engagement", "log", 0, "Logins in the 30 days before the last 30."),
    _f("logins_90d", 90, "logins", "engagement", "log", 0, "Logins in 90 days."),
    _f("login_days_30d", 30, "days", "engagement", "log", 0, "Days with a login in 30 days."),
    _f("login_trend_30d", 60, "ratio", "engagement", "log", 1, "Logins in 30 days over the 30 before, each plus one."),
    _f("session_minutes_30d", 30, "minutes", "engagement", "log", 0, "Mean length of a session in 30 days."),
    _f("login_channels_90d", 90, "channels", "engagement", "log", 0, "Channels that logins came by in 90 days."),
)
TICKETS: Final = (
    _f("tickets_30d", 30, "tickets", "service", "log", 0, "Tickets opened in 30 days."),
    _f("tickets_90d", 90, "tickets", "service", "log", 0, "Tickets opened in 90 days."),
    _f("open_tickets", 180, "tickets", "service", "log", 0, "Open tickets on which something happened in 180 days."),
    _f("open_ticket_age_days", 180, "days", "service", "log", 0, "Age of the oldest of the open tickets."),
    _f("slow_tickets_90d", 90, "tickets", "service", "log", 0, "Tickets opened in 90 days that took more than 3 days."),
    _f("resolve_days_90d", 90, "days", "service", "log", 0, "Mean time to resolve, of tickets resolved in 90 days."),
    _f("severe_tickets_90d", 90, "tickets", "service", "log", 0, "Tickets of high severity opened in 90 days."),
    _f("satisfaction_90d", 90, "stars", "service", "linear", 3, "Mean satisfaction with tickets of the last 90 days."),
    _f("billing_tickets_90d", 90, "tickets", "price", "log", 0, "Tickets on billing opened in 90 days."),
    _f("product_tickets_90d", 90, "tickets", "product", "log", 0, "Tickets on a product or return opened in 90 days."),
    _f("leaving_tickets_90d", 90, "tickets", "competition", "log", 0, "Tickets on cancelling opened in 90 days."),
)
REVIEWS: Final = (
    _f("rating_90d", 90, "stars", "product", "linear", 3, "Mean rating in 90 days."),
    _f("rating_trend_90d", None, "stars", "product", "linear", 0, "Mean rating in 90 days less the mean before."),
    _f("nps_180d", 180, "points", "service", "linear", 7, "Mean answer to surveys (0 to 10) in 180 days."),
    _f("price_mentions_90d", 90, "reviews", "price", "log", 0, "Reviews that speak of price in 90 days."),
    _f("service_mentions_90d", 90, "reviews", "service", "log", 0, "Reviews on service or delivery in 90 days."),
    _f("product_mentions_90d", 90, "reviews", "product", "log", 0, "Reviews that speak of the product in 90 days."),
    _f(
        "other_mentions_90d", 90, "reviews", "competition", "log", 0, "Reviews that speak of something else in 90 days."
    ),
    _f("cancellations_180d", 180, "cancellations", "competition", "log", 0, "Explicit cancellations in 180 days."),
)

CATALOG: Final[tuple[Feature, ...]] = ORDERS + RHYTHM + LIFETIME + PRESENCE + LOGINS + TICKETS + REVIEWS
NAMES: Final[tuple[str, ...]] = tuple(feature.name for feature in CATALOG)
INDEX: Final[dict[str, int]] = {name: position for position, name in enumerate(NAMES)}
