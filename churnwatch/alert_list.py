"""Which alerts a person wants to see, and the newest of them, whatever order the partitions give them in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import heappush, heappushpop
from typing import Final

from agents.routing import OWNER_HEADER
from alerts.alert import Alert
from streams.time import parse_instant

COLUMNS: Final = ("raised", "kind", "band", "risk", "segment", "customer", "at stake", "why", "what to do")

ANY: Final[frozenset[str]] = frozenset()


def owner_of(headers: Iterable[tuple[str, bytes]]) -> str | None:
    """Return the customer's owner, as the alert's Kafka headers name it; None where they name none."""
    return next((value.decode(errors="replace") for name, value in headers if name == OWNER_HEADER), None)


@dataclass(frozen=True, slots=True)
class Filter:
    """What to keep: one of each set, where it is not empty. `since_ms` is on the customers' clock (`raised_at`)."""

    since_ms: int | None = None
    bands: frozenset[str] = ANY
    segments: frozenset[str] = ANY
    kinds: frozenset[str] = ANY
    owners: frozenset[str] = ANY
    customer_id: str | None = None

    def keeps(self, alert: Alert, owner: str | None) -> bool:
        """Whether an alert is wanted; `owner` is that of the customer, None where there is none."""
        asked = (self.bands, self.segments, self.kinds, self.owners)
        given = (alert.band, alert.segment, alert.kind, owner)
        return (
            all(not wanted or has in wanted for wanted, has in zip(asked, given, strict=True))
            and (self.customer_id is None or self.customer_id == alert.customer_id)
            and (self.since_ms is None or parse_instant(alert.raised_at) >= self.since_ms)
        )


class Newest:
    """The newest alerts, at most `limit`, each id once (a redelivery is the same alert)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[tuple[int, str]] = []
        self._kept: dict[str, tuple[Alert, bytes]] = {}

    def add(self, alert: Alert, value: bytes) -> None:
        """Take one alert and its message in."""
        if alert.alert_id in self._kept or self._limit <= 0:
            return
        entry = (parse_instant(alert.raised_at), alert.alert_id)
        if len(self._heap) < self._limit:
            heappush(self._heap, entry)
        else:
            out = heappushpop(self._heap, entry)
            if out is entry:
                return
            del self._kept[out[1]]
        self._kept[alert.alert_id] = (alert, value)

    def __iter__(self) -> Iterator[tuple[Alert, bytes]]:
        """Go through them, oldest first."""
        return (self._kept[alert_id] for _, alert_id in sorted(self._heap))


def row(alert: Alert) -> tuple[str, ...]:
    """Give an alert's line in a table; see `COLUMNS`."""
    stake = alert.value_at_risk
    action = "(held out)" if alert.holdout else alert.actions[0].title if alert.actions else ""
    return (
        alert.raised_at,
        alert.kind,
        alert.band,
        f"{alert.risk:.2f}",
        alert.segment,
        alert.customer_id,
        f"{stake.amount:.2f} {stake.currency or ''}".rstrip(),
        alert.reasons[0].evidence if alert.reasons else "",
        action,
    )
