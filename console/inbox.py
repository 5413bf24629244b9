"""The inbox: alerts by episode with what the team has made of them, kept in memory and asked in SQL.

It is fed from three topics, which may run at different speeds, and each of which may repeat itself:

    churn.alerts      -> alerts, episodes     an episode stands where its last alert left it
    churn.outcomes    -> outcomes, episodes   the latest by its own time counts, as in `alerts.outcomes`
    churn.scores      -> scores               one row a customer, as in the compacted topic

So what the tables hold is a function of the sets of messages, whatever order the topics give them in (those of one customer's alerts
come in theirs). SQLite is used for what it is good at: ten thousand episodes filtered and sorted by any column in milliseconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Final

import msgspec

from alerts.alert import Alert, encode
from alerts.bands import RANK
from alerts.outcomes import SNOOZE_MAX_MS, STATUSES
from alerts.score import Score
from streams.events import Outcome
from streams.time import DAY_MS, parse_instant

SNOOZE_MS: Final = 7 * DAY_MS
"""How long a snooze without an end is shown as one."""

_TABLES: Final = """
CREATE TABLE episodes (
    episode_id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, ended TEXT NOT NULL, opened_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,
    alert_id TEXT NOT NULL, alerts INTEGER NOT NULL, band TEXT NOT NULL, band_rank INTEGER NOT NULL, segment TEXT NOT NULL,
    risk REAL NOT NULL, amount REAL NOT NULL, currency TEXT, reason TEXT NOT NULL, owner TEXT NOT NULL, holdout INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT '', status_ms INTEGER NOT NULL DEFAULT 0, snoozed_until_ms INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX episodes_by_customer ON episodes (customer_id);
CREATE INDEX episodes_by_amount ON episodes (ended, holdout, amount);
CREATE INDEX episodes_by_owner ON episodes (owner) WHERE ended = '';
CREATE TABLE alerts (
    alert_id TEXT PRIMARY KEY, episode_id TEXT NOT NULL, raised_ms INTEGER NOT NULL, value BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX alerts_by_episode ON alerts (episode_id, raised_ms);
CREATE TABLE outcomes (
    event_id TEXT PRIMARY KEY, alert_id TEXT NOT NULL, customer_id TEXT NOT NULL, at_ms INTEGER NOT NULL, rank INTEGER NOT NULL,
    status TEXT NOT NULL, snoozed_until_ms INTEGER NOT NULL, value BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX outcomes_by_alert ON outcomes (alert_id);
CREATE TABLE scores (
    customer_id TEXT PRIMARY KEY, band TEXT NOT NULL, segment TEXT NOT NULL, risk REAL NOT NULL, at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX scores_by_segment ON scores (segment, band);
"""

_BEGIN_OR_GO_ON: Final = """
INSERT INTO episodes (episode_id, customer_id, ended, opened_ms, changed_ms, alert_id, alerts, band, band_rank, segment, risk, amount,
                      currency, reason, owner, holdout)
VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (episode_id) DO UPDATE SET
    ended = excluded.ended, changed_ms = excluded.changed_ms, alert_id = excluded.alert_id, alerts = alerts + 1, band = excluded.band,
    band_rank = excluded.band_rank, segment = excluded.segment, risk = excluded.risk, amount = excluded.amount,
    currency = excluded.currency, reason = CASE excluded.reason WHEN '' THEN reason ELSE excluded.reason END,
    owner = CASE excluded.owner WHEN '' THEN owner ELSE excluded.owner END
"""

_STAND: Final = """
UPDATE episodes SET (status, status_ms, snoozed_until_ms) = (
    SELECT o.status, o.at_ms, o.snoozed_until_ms FROM outcomes o JOIN alerts a USING (alert_id)
    WHERE a.episode_id = episodes.episode_id AND o.customer_id = episodes.customer_id ORDER BY o.at_ms DESC, o.rank DESC LIMIT 1
) WHERE episode_id = ? AND EXISTS (
    SELECT 1 FROM outcomes o JOIN alerts a USING (alert_id)
    WHERE a.episode_id = episodes.episode_id AND o.customer_id = episodes.customer_id
)
"""

_encoder = msgspec.json.Encoder()


class Inbox:
    """See the module's text. Safe to use from several threads: a reader waits for a batch that is being taken in, some milliseconds."""

    def __init__(self) -> None:
        self._base = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._base.row_factory = sqlite3.Row
        self._base.executescript(_TABLES)
        self._lock = Lock()

    def take_alerts(self, alerts: Iterable[tuple[Alert, str | None]]) -> list[str]:
        """Take alerts in, each with the customer's owner; return the ids of the episodes that have changed, each once."""
        changed: dict[str, None] = {}
        with self._batch() as base:
            for alert, owner in alerts:
                raised_ms = parse_instant(alert.raised_at)
                known = (alert.alert_id, alert.episode_id, raised_ms, encode(alert))
                if not base.execute("INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?)", known).rowcount:
                    continue
                ended = alert.kind if alert.kind in ("resolved", "churned") else ""
                reason = alert.reasons[0].code if alert.reasons else ""
                stake = alert.value_at_risk
                base.execute(
                    _BEGIN_OR_GO_ON,
                    (alert.episode_id, alert.customer_id, ended, raised_ms, raised_ms, alert.alert_id, alert.band, RANK[alert.band],
                     alert.segment, alert.risk, stake.amount, stake.currency, reason, owner or "", alert.holdout),
                )  # fmt: skip
                changed[alert.episode_id] = None
            base.executemany(_STAND, ((episode_id,) for episode_id in changed))
        return list(changed)

    def take_outcomes(self, outcomes: Iterable[Outcome]) -> list[str]:
        """Take the team's reports in; return the ids of the episodes that have changed, each once.

        One about an alert that is not known (yet) waits for it.
        """
        changed: dict[str, None] = {}
        with self._batch() as base:
            for outcome in outcomes:
                at_ms = outcome.occurred_at
                until_ms = 0
                if outcome.status == "snoozed":
                    asked_ms = at_ms + SNOOZE_MS if outcome.snooze_until is None else outcome.snooze_until
                    until_ms = min(asked_ms, at_ms + SNOOZE_MAX_MS)
                base.execute(
                    "INSERT OR IGNORE INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (outcome.event_id, outcome.alert_id, outcome.customer_id, at_ms, STATUSES.index(outcome.status), outcome.status,
                     until_ms, _encoder.encode(outcome)),
                )  # fmt: skip
                found = base.execute("SELECT episode_id FROM alerts WHERE alert_id = ?", (outcome.alert_id,)).fetchone()
                if found is not None:
                    changed[found["episode_id"]] = None
            base.executemany(_STAND, ((episode_id,) for episode_id in changed))
        return list(changed)

    def take_scores(self, scores: Iterable[Score], gone: Iterable[str] = ()) -> None:
        """Take scores in, and forget those of customers who are gone (tombstones)."""
        with self._batch() as base:
            base.executemany(
                "INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?)",
                ((s.customer_id, s.band, s.segment, s.risk, parse_instant(s.scored_at)) for s in scores),
            )
            base.executemany("DELETE FROM scores WHERE customer_id = ?", ((customer_id,) for customer_id in gone))

    def forget_before(self, at_ms: int) -> int:
        """Forget episodes that ended, and did not change since, before an instant; return how many. Memory stays bounded by it."""
        with self._batch() as base:
            old = "SELECT episode_id FROM episodes WHERE ended != '' AND changed_ms < ?"
            base.execute(
                f"DELETE FROM outcomes WHERE alert_id IN (SELECT alert_id FROM alerts WHERE episode_id IN ({old}))",  # noqa: S608 - no text of others
                (at_ms,),
            )
            base.execute(f"DELETE FROM alerts WHERE episode_id IN ({old})", (at_ms,))  # noqa: S608 - as above
            return base.execute("DELETE FROM episodes WHERE ended != '' AND changed_ms < ?", (at_ms,)).rowcount

    def ask(self, query: str, given: Sequence[object] | dict[str, object] = ()) -> list[sqlite3.Row]:
        """Return the rows of a query (`console.questions` has them); what it is given is bound, never pasted in."""
        with self._lock:
            return self._base.execute(query, given).fetchall()

    def close(self) -> None:
        """Free the memory."""
        with self._lock:
            self._base.close()

    @contextmanager
    def _batch(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._base.execute("BEGIN")
            try:
                yield self._base
            except BaseException:
                self._base.execute("ROLLBACK")
                raise
            self._base.execute("COMMIT")
