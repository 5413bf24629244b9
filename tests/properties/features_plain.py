"""The vector from a customer's state, as plainly as it can be said: each figure by a walk of its own, in the arithmetic of `features.vector`.

The other oracle (`features_oracle`) knows nothing of tiles, and is equal as far as rounding goes. This one is equal to the last bit: what is
said of a customer must not depend on how cleverly it was summed.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt

from features.catalog import PRESENCE_ENDS
from features.past import Past
from features.rhythm import Rhythm, extend
from features.state import Activity
from features.tickets import CATEGORIES, Standing, standing
from features.tiles import Tile
from streams.time import DAY_MS


def plain(activity: Activity, as_of_ms: int) -> list[float]:
    """The values of the catalogue, in its order, as of `as_of_ms`."""
    end = -(-as_of_ms // DAY_MS)
    past = activity.past or Past()
    ordered = _rhythm(past.order_rhythm, [tile for tile in activity.order_tiles if tile.orders], end)
    logged_in = _rhythm(past.login_rhythm, activity.login_tiles, end)
    came = ordered if ordered.days else logged_in
    return [
        *_orders(activity, past, ordered, end),
        *(_gaps(ordered, came, end) if came.days else (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)),
        *_lifetime(activity, past, ordered, came, end),
        *_presence(activity, past, end),
        *_logins(activity, max(ordered.last_day, logged_in.last_day), end),
        *_tickets(activity, end * DAY_MS),
        *_reviews(activity, past, end),
    ]


def _sum(tiles: Sequence[Tile], field: str, end: int, youngest: int, oldest: int = 10**9) -> int:
    """The field of the tiles whose age, in days before `end`, lies in [youngest, oldest]."""
    return sum(getattr(tile, field) for tile in tiles if youngest <= end - tile.day <= oldest)


def _rhythm(past: Rhythm, tiles: Sequence[Tile], end: int) -> Rhythm:
    return extend(past, [tile.day for tile in tiles if tile.day < end])


def _ever(activity: Activity, past: Past, end: int) -> tuple[int, int]:
    tiles = activity.order_tiles
    return past.orders + _sum(tiles, "orders", end, 1), past.amount + _sum(tiles, "amount", end, 1)


def _orders(activity: Activity, past: Past, ordered: Rhythm, end: int) -> list[float]:
    tiles = activity.order_tiles
    windows = ((1, 7), (1, 30), (31, 60), (1, 90), (91, 180))
    n7, n30, n60, n90, n180 = (_sum(tiles, "orders", end, *ages) for ages in windows)
    amounts = [_sum(tiles, "amount", end, *ages) for ages in windows[:-1]]
    ever, amount = _ever(activity, past, end)
    discount = _sum(tiles, "discount", end, 1, 90)
    listed = amounts[-1] + discount
    return [
        float(end - 1 - ordered.last_day) if ever else 0.0,
        *map(float, (n7, n30, n60, n90, n180)),
        *(amount / 1_000 for amount in amounts),
        (n30 + 1) / (n60 + 1),
        (n90 + 1) / (n180 + 1),
        _sum(tiles, "items", end, 1, 90) / 10,
        discount / listed if listed else 0.0,
        amounts[-1] / n90 / (amount / ever) if n90 and amount else 1.0,
        float(_sum(tiles, "cancelled", end, 1, 90)),
        float(_sum(tiles, "returned", end, 1, 90)),
    ]


def _deviation(squares: int, total: int, count: int) -> float:
    return sqrt(max(squares * count - total * total, 0)) / count


def _gaps(ordered: Rhythm, came: Rhythm, end: int) -> list[float]:
    gaps = ordered.days - 1
    mean = ordered.span_days / gaps if gaps > 0 else 0.0
    silence, usual = end - 1 - came.last_day, (came.span_days + 30) / came.days
    deviation = max(_deviation(came.gap_squares + 2 * 30**2, came.span_days + 30, came.days), 1.0)
    return [
        mean,
        _deviation(ordered.gap_squares, ordered.span_days, gaps) if gaps > 0 else 0.0,
        float(ordered.gap_max),
        float(ordered.gap_last),
        (ordered.gap_last + 30) / (mean + 30) if gaps > 0 else 1.0,
        silence / usual,
        max(-12.0, min((silence - usual) / deviation, 12.0)),
    ]


def _lifetime(activity: Activity, past: Past, ordered: Rhythm, came: Rhythm, end: int) -> list[float]:
    first_ms = activity.first_seen_ms
    tenure = 0.0 if first_ms is None else float(max(end - 1 - first_ms // DAY_MS, 0))
    if not came.days:
        return [tenure, *[0.0] * 7]
    repeats, span, age = came.days - 1, came.span_days, end - 1 - came.first_day
    alive = log(2.426 / 0.793)
    if repeats:
        odds = log((2.426 + repeats - 1) / 0.793)
        alive = max(odds - (0.243 + repeats) * log((30.9 + age) / (30.9 + span)), -12.0)
    comes = (1.0 - ((30.9 + age) / (30.9 + age + 60)) ** (0.243 + repeats)) / (1.0 + exp(-alive))
    quiet = max(-12.0, min(log((1.0 - comes) / comes), 12.0)) if 0.0 < comes < 1.0 else 12.0
    orders, amount = _ever(activity, past, end)
    mean = amount / orders / 1_000 if orders else 0.0
    share = span / age if age else 1.0
    return [tenure, float(ordered.days), 30 * repeats / (age + 30), share, alive, quiet, mean, amount / 1_000]


def _presence(activity: Activity, past: Past, end: int) -> list[float]:
    ages = {end - tile.day for tile in activity.order_tiles if tile.orders} | {end - day for day in past.order_days}
    stretches = zip((0, *PRESENCE_ENDS), PRESENCE_ENDS, strict=False)
    return [float(any(before < age <= last for age in ages)) for before, last in stretches]


def _logins(activity: Activity, last_day: int, end: int) -> list[float]:
    tiles = activity.login_tiles
    n7, n30, n60, n90 = (_sum(tiles, "logins", end, *ages) for ages in ((1, 7), (1, 30), (31, 60), (1, 90)))
    timed, channels = _sum(tiles, "timed", end, 1, 30), 0
    for tile in tiles:
        channels |= tile.channels if 1 <= end - tile.day <= 90 else 0
    return [
        float(end - 1 - last_day) if last_day >= 0 else 0.0,
        *map(float, (n7, n30, n60, n90)),
        float(sum(1 <= end - tile.day <= 30 for tile in tiles)),
        (n30 + 1) / (n60 + 1),
        _sum(tiles, "seconds", end, 1, 30) / timed / 60 if timed else 0.0,
        float(channels.bit_count()),
    ]


def _tickets(activity: Activity, end_ms: int) -> list[float]:
    found = [seen for ticket in activity.tickets if (seen := standing(ticket, end_ms)) is not None]
    recent = [one for one in found if one.opened_ms >= end_ms - 90 * DAY_MS]
    still = [one for one in found if one.closed_ms is None and one.last_ms >= end_ms - 180 * DAY_MS]
    ended = [one for one in found if (one.closed_ms or 0) >= end_ms - 90 * DAY_MS]
    rated = [one.star_tenths for one in found if one.star_tenths and one.last_ms >= end_ms - 90 * DAY_MS]
    took_ms = sum((one.closed_ms or 0) - one.opened_ms for one in ended)
    return [
        float(sum(one.opened_ms >= end_ms - 30 * DAY_MS for one in recent)),
        float(len(recent)),
        float(len(still)),
        max((end_ms - one.opened_ms for one in still), default=0) / DAY_MS,
        float(sum((one.closed_ms or end_ms) - one.opened_ms > 3 * DAY_MS for one in recent)),
        took_ms / len(ended) / DAY_MS if ended else 0.0,
        float(sum(one.severity == 3 for one in recent)),
        sum(rated) / len(rated) / 10 if rated else 3.0,
        _about(recent, "billing"),
        _about(recent, "product", "return"),
        _about(recent, "cancellation"),
    ]


def _about(found: Sequence[Standing], *names: str) -> float:
    return float(sum(one.category in {CATEGORIES[name] for name in names} for one in found))


def _reviews(activity: Activity, past: Past, end: int) -> list[float]:
    tiles = activity.review_tiles
    ratings, tenths = _sum(tiles, "ratings", end, 1, 90), _sum(tiles, "rating_tenths", end, 1, 90)
    before = past.ratings + _sum(tiles, "ratings", end, 91)
    before_tenths = past.rating_tenths + _sum(tiles, "rating_tenths", end, 91)
    surveys = _sum(tiles, "surveys", end, 1, 180)
    rating = tenths / ratings / 10 if ratings else 3.0
    end_ms = end * DAY_MS
    return [
        rating,
        rating - before_tenths / before / 10 if ratings and before else 0.0,
        _sum(tiles, "nps_tenths", end, 1, 180) / surveys / 10 if surveys else 7.0,
        *(float(_sum(tiles, topic, end, 1, 90)) for topic in ("price", "service", "product", "other")),
        float(sum(end_ms - 180 * DAY_MS <= at_ms < end_ms for at_ms in activity.cancellations)),
    ]
