"""What became of those whom the team treated, by context and action: what the bandit learns from (`bandit`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, Protocol

import msgspec

from alerts.alert import CODES
from alerts.bandit import RATES, context_of, estimates
from alerts.segments import SEGMENTS
from streams.bounds import COUNT_MAX, Count, Day
from streams.errors import Corrupt
from streams.time import day_of

NAME: Final = "play"
"""Name of the entries that workers book: `play|loyal|price|personal_offer|kept`, or `left`."""

OUTCOMES: Final = ("left", "kept")

PERIOD_DAYS: Final = 30
PERIODS_MAX: Final = 24
"""What is older than two years says little about the customers, prices and people of today."""

DAYS_MAX: Final = 800
"""Bound on the days that lie ahead of the boundary while a replay runs."""

Seen = dict[str, dict[str, tuple[Count, Count]]]
"""Context to action to customers, and to those of them who stayed."""


class Book(Protocol):
    """Where entries are booked (`counts.StatsBuilder`)."""

    def book(self, day: int, *key: str, amount: int = 1) -> None:
        """Add an amount to the entry of a key on a UTC day."""


def book_reward(book: Book, day: int, segment: str, reason: str, action: str, *, kept: bool) -> None:
    """Book what became of a treated customer, on the UTC day on which that was known."""
    book.book(day, NAME, segment, reason, action, OUTCOMES[kept])


class Rewards:
    """Sums of what became of the treated; kept with the learner's state.

    Args:
        codes: the actions of the playbook; others are not learnt about.
        learns: whether the guides are to carry what is learnt. The sums are kept either way.

    >>> rewards = Rewards({"offer"}, learns=True)
    >>> rewards.add(100, {"play|loyal|price|offer|kept": 30, "play|loyal|price|offer|left": 10, "opened|loyal": 2})
    {'opened|loyal': 2}
    >>> rewards.at(101 * 86_400_000)["play_rates"]["loyal|price"]["offer"][0] > 0.7
    True
    """

    def __init__(self, codes: Collection[str] = (), *, learns: bool = False) -> None:
        self._codes = frozenset(codes)
        self._learns = learns
        self._days: dict[int, Seen] = {}
        self._periods: dict[int, Seen] = {}

    def add(self, day: int, entries: Mapping[str, int]) -> dict[str, int]:
        """Add what was booked on a UTC day; returns the entries that are about something else."""
        rest: dict[str, int] = {}
        for key, booked in entries.items():
            match key.split("|"):
                case [name, segment, reason, action, outcome] if name == NAME:
                    known = segment in SEGMENTS and reason in CODES and outcome in OUTCOMES
                    if known and action in self._codes and booked > 0:
                        kept = booked if outcome == OUTCOMES[True] else 0
                        _count(self._days.setdefault(day, {}), context_of(segment, reason), action, booked, kept)
                case _:
                    rest[key] = booked
        for oldest in sorted(self._days)[:-DAYS_MAX]:
            self._fold(oldest)
        return rest

    def at(self, boundary_ms: int) -> dict[str, Any]:
        """Return the estimates under `RATES`; nothing where nothing is known, or learning is off.

        Only days that ended by `boundary_ms` count; boundaries never fall.
        """
        boundary_day = day_of(boundary_ms)
        for day in sorted(self._days):
            if day < boundary_day:
                self._fold(day)
        for period in sorted(self._periods)[:-PERIODS_MAX]:
            del self._periods[period]
        if not self._learns:
            return {}
        total: Seen = {}
        for _, seen in sorted(self._periods.items()):
            _merge(total, seen)
        rates = estimates({(c, action): sums for c, actions in total.items() for action, sums in actions.items()})
        return {RATES: rates} if rates else {}

    def _fold(self, day: int) -> None:
        _merge(self._periods.setdefault(day // PERIOD_DAYS, {}), self._days.pop(day))

    def dump(self) -> object:
        """Return the state as plain data."""
        return [_ordered(self._days), _ordered(self._periods)]

    def load(self, state: Any) -> None:
        """Take back what `dump` returned; raises `Corrupt` where it is something else."""
        try:
            self._days, self._periods = msgspec.convert(state, tuple[dict[Day, Seen], dict[Day, Seen]])
        except msgspec.ValidationError as error:
            raise Corrupt(f"what was learnt of actions cannot be read ({error}): start the learner anew") from error


def _count(seen: Seen, context: str, action: str, customers: int, stayed: int) -> None:
    actions = seen.setdefault(context, {})
    before = actions.get(action, (0, 0))
    actions[action] = min(before[0] + customers, COUNT_MAX), min(before[1] + stayed, COUNT_MAX)


def _merge(into: Seen, seen: Seen) -> None:
    for context, actions in seen.items():
        for action, (customers, stayed) in actions.items():
            _count(into, context, action, customers, stayed)


def _ordered(sums: Mapping[int, Seen]) -> dict[int, Any]:
    return {
        at: {
            context: {action: list(pair) for action, pair in sorted(actions.items())}
            for context, actions in sorted(seen.items())
        }
        for at, seen in sorted(sums.items())
    }
