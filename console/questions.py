"""What the pages ask of the inbox: the list of episodes with its filters, one customer's, the sums of today."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from alerts.alert import CODES, Alert, decode
from console.inbox import Inbox

State = Literal[
    "open", "new", "acknowledged", "contacted", "accepted", "declined", "snoozed", "false_alarm", "resolved", "churned"
]
STATES: Final[tuple[State, ...]] = (
    "open", "new", "acknowledged", "contacted", "accepted", "declined", "snoozed", "false_alarm", "resolved", "churned",
)  # fmt: skip
"""`open` is all that have not ended, however the team stands with them."""

Order = Literal["amount", "risk", "changed", "opened"]
_COLUMN: Final[Mapping[str, str]] = {"amount": "amount", "risk": "risk", "changed": "changed_ms", "opened": "opened_ms"}

BANDS: Final = ("watch", "high", "critical")
SEGMENTS: Final = ("new", "standard", "loyal", "high_value")
REASONS: Final = CODES
PAGE_ROWS: Final = 50
PAGE_ROWS_MAX: Final = 500

_STATE: Final = """
CASE WHEN ended != '' THEN ended
     WHEN status = '' OR (status = 'snoozed' AND snoozed_until_ms <= :now_ms) THEN 'new'
     ELSE status END
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which episodes: empty means all. Those held out of treatment are left out unless asked for: nobody may contact them."""

    state: State = "open"
    band: str = ""
    segment: str = ""
    reason: str = ""
    owner: str = ""
    text: str = ""
    held_out: bool = False

    def where(self, now_ms: int) -> tuple[str, dict[str, object]]:
        """Return the condition, and what is bound to it."""
        asked: dict[str, object] = {"now_ms": now_ms}
        told = ["holdout = :holdout"]
        asked["holdout"] = self.held_out
        if self.state == "open":
            told.append("ended = ''")
        else:
            told.append(f"{_STATE} = :state")
            asked["state"] = self.state
        for column in ("band", "segment", "reason", "owner"):
            if wanted := getattr(self, column):
                told.append(f"{column} = :{column}")
                asked[column] = wanted
        if self.text:
            told.append("instr(lower(customer_id), lower(:text)) > 0")
            asked["text"] = self.text
        return " AND ".join(told), asked


class Row(msgspec.Struct, frozen=True):
    """An episode in the list. `state` is one of `STATES` but `open`; `reason` and `owner` are empty where there is none."""

    episode_id: str
    alert_id: str
    customer_id: str
    state: str
    band: str
    segment: str
    risk: float
    amount: float
    currency: str | None
    reason: str
    owner: str
    holdout: bool
    opened_ms: int
    changed_ms: int
    snoozed_until_ms: int
    alert: Alert


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the list: its rows, how many there are in all, and what is at stake in all of them."""

    rows: Sequence[Row]
    total: int
    amount: float


def page(
    inbox: Inbox, asked: Filter, now_ms: int, *, order: Order = "amount", first: int = 0, rows: int = PAGE_ROWS
) -> Page:
    """Return a page of the list, the largest first."""
    where, given = asked.where(now_ms)
    (sums,) = inbox.ask(f"SELECT count(*) AS total, total(amount) AS amount FROM episodes WHERE {where}", given)  # noqa: S608 - our own words
    found = inbox.ask(
        # The rows are chosen before their alerts are looked up: ten thousand look-ups to skip most of them took 35 ms.
        f"WITH e AS (SELECT * FROM episodes WHERE {where} ORDER BY {_COLUMN[order]} DESC, episode_id LIMIT :rows OFFSET :first)"  # noqa: S608 - as above
        f" SELECT e.*, {_STATE} AS state, a.value FROM e JOIN alerts a USING (alert_id) ORDER BY {_COLUMN[order]} DESC, episode_id",
        given | {"rows": min(rows, PAGE_ROWS_MAX), "first": first},
    )
    return Page([_row(row) for row in found], int(sums["total"]), float(sums["amount"]))


def episode(inbox: Inbox, episode_id: str, now_ms: int) -> Row | None:
    """Return one episode as it stands in the list; None where it is not known."""
    found = inbox.ask(
        f"SELECT e.*, {_STATE} AS state, a.value FROM episodes e JOIN alerts a USING (alert_id) WHERE e.episode_id = :episode",  # noqa: S608
        {"episode": episode_id, "now_ms": now_ms},
    )
    return _row(found[0]) if found else None


def open_episode(inbox: Inbox, customer_id: str, now_ms: int) -> Row | None:
    """Return the episode of a customer that has not ended; None where there is none."""
    found = inbox.ask(
        f"SELECT e.*, {_STATE} AS state, a.value FROM episodes e JOIN alerts a USING (alert_id)"  # noqa: S608 - as above
        " WHERE e.customer_id = :customer AND ended = ''",
        {"customer": customer_id, "now_ms": now_ms},
    )
    return _row(found[0]) if found else None


def alerts_of(inbox: Inbox, customer_id: str) -> list[Alert]:
    """Return a customer's alerts, the latest first."""
    found = inbox.ask(
        "SELECT a.value FROM alerts a JOIN episodes e USING (episode_id) WHERE e.customer_id = ? ORDER BY a.raised_ms DESC, a.alert_id",
        (customer_id,),
    )
    return [decode(row["value"]) for row in found]


def outcomes_of(inbox: Inbox, customer_id: str) -> list[dict[str, Any]]:
    """Return what the team has reported about a customer, the latest first: the events' own fields."""
    found = inbox.ask("SELECT value FROM outcomes WHERE customer_id = ? ORDER BY at_ms DESC, rank DESC", (customer_id,))
    return [msgspec.json.decode(row["value"]) for row in found]


def owners(inbox: Inbox) -> list[str]:
    """Return the owners of customers with an episode that has not ended."""
    found = inbox.ask(
        "SELECT DISTINCT owner FROM episodes INDEXED BY episodes_by_owner WHERE ended = '' AND owner != '' ORDER BY owner LIMIT 1000"
    )
    return [row["owner"] for row in found]


@dataclass(frozen=True, slots=True)
class Sums:
    """Open episodes of a segment: how many, what is at stake, and how many nobody has taken yet."""

    segment: str
    episodes: int
    amount: float
    new: int


def by_segment(inbox: Inbox, now_ms: int) -> list[Sums]:
    """Return the sums of every segment with an open episode, the most at stake first."""
    found = inbox.ask(
        f"SELECT segment, count(*) AS episodes, total(amount) AS amount, sum({_STATE} = 'new') AS new"  # noqa: S608 - our own words
        " FROM episodes WHERE ended = '' AND holdout = 0 GROUP BY segment ORDER BY amount DESC",
        {"now_ms": now_ms},
    )
    return [Sums(row["segment"], row["episodes"], row["amount"], row["new"]) for row in found]


def since(inbox: Inbox, from_ms: int) -> dict[str, int]:
    """Return how many episodes have been opened, resolved and churned since an instant on the customers' clock."""
    (found,) = inbox.ask(
        "SELECT total(opened_ms >= :from) AS opened, total(ended = 'resolved' AND changed_ms >= :from) AS resolved,"
        " total(ended = 'churned' AND changed_ms >= :from) AS churned FROM episodes WHERE changed_ms >= :from",
        {"from": from_ms},
    )
    return {name: int(found[name]) for name in ("opened", "resolved", "churned")}


def customers_by_band(inbox: Inbox) -> dict[tuple[str, str], int]:
    """Return how many customers are in each (segment, band) by their latest score."""
    found = inbox.ask("SELECT segment, band, count(*) AS customers FROM scores GROUP BY segment, band")
    return {(row["segment"], row["band"]): row["customers"] for row in found}


def _row(row: sqlite3.Row) -> Row:
    fields = {name: row[name] for name in Row.__struct_fields__ if name not in ("alert", "holdout")}
    return Row(**fields, holdout=bool(row["holdout"]), alert=decode(row["value"]))
