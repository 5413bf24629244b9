"""Whether the team reports outcomes at all: only then does silence about an alert mean that nobody has taken it.

A team that never writes to `churn.outcomes` would else be reminded of every alert that it has long dealt with. So the learner
notes on which days an outcome was reported, by whomever, and the guide tells the workers whether any was of late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from streams.bounds import Day
from streams.errors import Corrupt
from streams.time import day_of

REPORT: Final = "kpi_report"
"""Name of the ledger's entries for reports (`kpi.book_report`)."""

WINDOW_DAYS: Final = 60
"""A team that has reported nothing for so long has stopped."""

DAYS_MAX: Final = 400
HEARD: Final = "heard"
"""Where it stands in the guide's `extra`."""


def is_heard(extra: Mapping[str, Any]) -> bool:
    """Tell whether a guide says that the team reports.

    >>> is_heard({"heard": True}), is_heard({})
    (True, False)
    """
    return extra.get(HEARD) is True


class Heard:
    """The latest UTC days with a report; kept with the learner's state.

    >>> heard = Heard()
    >>> heard.add(100, {"kpi_report|contacted|care_call": 2})
    >>> [heard.at(day * 86_400_000) for day in (100, 101, 160, 161)]
    [{}, {'heard': True}, {'heard': True}, {}]
    """

    def __init__(self) -> None:
        self._days: set[int] = set()

    def add(self, day: int, keys: Iterable[str]) -> None:
        """Note what was booked on a UTC day."""
        if day not in self._days and any(key.split("|", 1)[0] == REPORT for key in keys):
            self._days = set(sorted({*self._days, day})[-DAYS_MAX:])

    def at(self, boundary_ms: int) -> dict[str, Any]:
        """Return `HEARD` where something was reported in the `WINDOW_DAYS` whole days before; boundaries never fall."""
        end = day_of(boundary_ms)
        self._days = {day for day in self._days if day >= end - WINDOW_DAYS}
        return {HEARD: True} if any(day < end for day in self._days) else {}

    def dump(self) -> object:
        """Return the state as plain data."""
        return sorted(self._days)

    def load(self, state: Any) -> None:
        """Take back what `dump` returned; raises `Corrupt` where it is something else."""
        try:
            self._days = msgspec.convert(state, set[Day])
        except msgspec.ValidationError as error:
            raise Corrupt(f"the stored days of reports cannot be read ({error}): start the learner anew") from error
