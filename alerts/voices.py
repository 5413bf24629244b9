"""What customers have said and what the team has done, as the ledger has it: reviews, tickets, actions."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from alerts.ledger import Ledger


class Topic(msgspec.Struct):
    """Reviews of one topic, and the sum of their ratings (1 to 5) in hundredths."""

    count: int = 0
    rating: int = 0

    @property
    def mean(self) -> float | None:
        """Mean rating; None where there is no review."""
        return self.rating / self.count / 100 if self.count else None


def review_topics(ledger: Ledger, months: Iterable[str]) -> dict[str, Topic]:
    """Return reviews by topic, the most spoken of first; `none` are those without one."""
    topics: dict[str, Topic] = {}
    for _, told_by, amount in ledger.entries("kpi_review", dict.fromkeys(months)):
        match told_by:
            case [topic, ("count" | "rating") as figure]:
                found = topics.setdefault(topic, Topic())
                setattr(found, figure, getattr(found, figure) + amount)
    return dict(sorted(topics.items(), key=lambda item: (-item[1].count, item[0])))


def tickets(ledger: Ledger, months: Iterable[str]) -> dict[str, int]:
    """Return tickets opened by category, the most first."""
    return _counts(ledger, "kpi_ticket", 0, months)


def reports(ledger: Ledger, months: Iterable[str]) -> dict[str, int]:
    """Return outcomes reported by status, the most first."""
    return _counts(ledger, "kpi_report", 0, months)


def actions(ledger: Ledger, months: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return by action how often it was suggested, and how often each status was reported of it, the most suggested first."""
    found: dict[str, dict[str, int]] = {}
    wanted = dict.fromkeys(months)
    for _, told_by, amount in ledger.entries("kpi_suggested", wanted):
        _add(found.setdefault(told_by[0], {}), "suggested", amount)
    for _, told_by, amount in ledger.entries("kpi_report", wanted):
        _add(found.setdefault(told_by[1], {}), told_by[0], amount)
    return dict(sorted(found.items(), key=lambda item: (-item[1].get("suggested", 0), item[0])))


def _counts(ledger: Ledger, name: str, place: int, months: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for _, told_by, amount in ledger.entries(name, dict.fromkeys(months)):
        _add(found, told_by[place], amount)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _add(to: dict[str, int], key: str, amount: int) -> None:
    to[key] = to.get(key, 0) + amount
