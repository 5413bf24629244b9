"""One alert on its way to the receiver: read, filtered, posted until it is taken, or dead-lettered with the reason.

1. What is no alert goes to the dead letters.
2. What the filter does not want, and what this process has delivered already, is done.
3. It is posted. A 2xx settles it; an answer that no repetition mends sends it to the dead letters; after anything else it is posted again,
   later and later, until it has been tried for CHURNWATCH_WEBHOOK_GIVE_UP.

A Kafka offset is committed only for what is settled. So a process that dies posts again what was in flight, under the same id.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from alerts.alert import Alert, decode
from churnwatch.alert_list import Filter, owner_of
from churnwatch.deliver_metrics import DeliverMetrics
from churnwatch.deliver_receiver import QUIET_SECONDS, Receiver
from churnwatch.webhook_body import Format, Posting, posting
from churnwatch.webhook_client import Answer
from churnwatch.webhook_retry import Backoff, verdict
from streams.codec import RawRecord
from streams.deadletter import DeliveryReason, Undelivered
from streams.errors import StateError

log = logging.getLogger("churnwatch.deliver")

KNOWN_MAX: Final = 4_096
"""Ids remembered per partition: far more than a worker sends again when it dies."""

_SAFE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)


class Poster(Protocol):
    """The way to the receiver."""

    async def post(self, posting: Posting) -> Answer:
        """Post once; never raises."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Which alerts are delivered, in what form, and for how long they are tried (seconds)."""

    wanted: Filter
    form: Format
    backoff: Backoff
    give_up_seconds: float
    connections_max: int


class Known:
    """The ids that were delivered last, at most `KNOWN_MAX`."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def add(self, alert_id: str) -> None:
        """Remember one."""
        self._ids[alert_id] = None
        if len(self._ids) > KNOWN_MAX:
            self._ids.popitem(last=False)

    def __contains__(self, alert_id: str) -> bool:
        """Whether it was delivered lately."""
        return alert_id in self._ids


class Delivery:
    """Delivers alerts, for all partitions at once.

    Args:
        poster: see `Poster`.
        receiver: hears how attempts fare.
        bury: publishes a dead letter; returns when Kafka holds it.
        terms: see `Terms`.
        metrics: counts.
        clock: seconds that never go back.
        draw: a number from 0 to 1, by chance.
    """

    def __init__(
        self,
        poster: Poster,
        receiver: Receiver,
        bury: Callable[[Undelivered], Awaitable[None]],
        terms: Terms,
        metrics: DeliverMetrics,
        clock: Callable[[], float],
        draw: Callable[[], float],
    ) -> None:
        self._poster = poster
        self._receiver = receiver
        self._bury = bury
        self._terms = terms
        self._metrics = metrics
        self._clock = clock
        self._draw = draw
        self._buried = 0
        self._said = clock() - QUIET_SECONDS
        self._slots = asyncio.Semaphore(terms.connections_max)

    async def settle(self, record: RawRecord, known: Known, leaving: asyncio.Event) -> bool:
        """Return whether the record is settled; not so only where `leaving` was set before it was."""
        try:
            alert = _read(record)
        except StateError as error:
            await self._give_up(record, "malformed", error, str(error))
            return True
        owner = owner_of(record.headers)
        if not self._terms.wanted.keeps(alert, owner):
            self._metrics.settled("filtered")
            return True
        if alert.alert_id in known:
            self._metrics.settled("repeated")
            return True
        what = posting(alert, record.value or b"", owner, self._terms.form)
        return await self._post(record, what, known, leaving)

    async def _post(self, record: RawRecord, what: Posting, known: Known, leaving: asyncio.Event) -> bool:
        first = self._clock()
        failures = 0
        while True:
            async with self._slots:
                if leaving.is_set():
                    return False
                answer = await self._attempt(what)
            meant = "again" if answer.status is None else verdict(answer.status)
            if meant == "delivered":
                self._receiver.succeeded()
                self._metrics.settled("delivered")
                known.add(what.alert_id)  # not one that was refused: `dlq replay` brings it back, to be tried again
                return True
            if meant == "refused":
                self._receiver.succeeded()  # it is there, and has said what it thinks of this one
                await self._give_up(record, "refused", "Refused", answer.said)
                return True
            failures += 1
            self._receiver.failed(answer.said)
            if self._clock() - first >= self._terms.give_up_seconds:
                tried = f"tried {failures} times in {self._clock() - first:.0f} s, at last: {answer.said}"
                await self._give_up(record, "undelivered", "Undelivered", tried)
                return True
            await self._receiver.wait(
                self._terms.backoff.wait_ms(failures, self._draw, answer.asked_ms) / 1000, leaving
            )

    async def _attempt(self, what: Posting) -> Answer:
        began = self._clock()
        answer = await self._poster.post(what)
        self._metrics.attempted(answer.status, self._clock() - began)
        return answer

    async def _give_up(self, record: RawRecord, reason: DeliveryReason, error: Exception | str, said: str) -> None:
        name = error if isinstance(error, str) else type(error).__name__
        await self._bury(Undelivered(record, reason, name, said))
        self._metrics.settled("dead_lettered")
        self._buried += 1
        if self._clock() - self._said >= QUIET_SECONDS:
            self._said = self._clock()
            log.warning(
                "%d alerts have gone to the dead letters of %s so far, the latest as %s: %s; `churnwatch dlq list --topic %s`",
                self._buried,
                record.topic,
                reason,
                said,
                record.topic,
            )


def _read(record: RawRecord) -> Alert:
    """Return the alert in a record; raises StateError where there is none that could be posted."""
    alert = decode(record.value or b"")
    if not _SAFE_ID.fullmatch(alert.alert_id):
        # It goes into an HTTP header and into what is signed: a line break or a dot there would be somebody else's.
        raise StateError("the alert_id is none that Churnwatch gives: skip it")
    return alert
