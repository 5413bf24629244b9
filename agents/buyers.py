"""What the weekly look tells the learner of how customers buy (`alerts.value_fit`): who has ordered since the look before.

    [ ... order days before ... )[ the days since the last snapshot )
      the cell counted in so far    first order in here: a new customer; else moved to the cell of now

Both cells follow from the customer's own order days, so nothing more is kept of anybody, and a replay counts as live did. A week in which
nothing was ordered moves nobody, and every order has a snapshot behind it within a week.
"""

from __future__ import annotations

from agents.effects import Effects
from alerts.value import History
from alerts.value_fit import cell_of
from features.rhythm import NO_RHYTHM, extend
from features.state import Activity


def count_buying(activity: Activity, history: History, end_day: int, within_days: int, effects: Effects) -> None:
    """Count the customer of a snapshot at the midnight before `end_day`, the one before having been `within_days` earlier."""
    if not history.order_days or history.age_days - history.span_days >= within_days:
        return
    start_day = end_day - within_days
    past = NO_RHYTHM if activity.past is None else activity.past.order_rhythm
    days = [tile.day for tile in activity.order_tiles if tile.orders and tile.day < end_day]
    before, now = extend(past, [day for day in days if day < start_day]), extend(past, days)
    old = cell_of(before.first_day, before.last_day, before.days - 1) if before.days else None
    effects.stats.move_buyer(end_day, old, cell_of(now.first_day, now.last_day, now.days - 1))
    if old is None:
        effects.stats.add_first(end_day, history.amount / history.order_days)
