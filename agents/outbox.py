"""The outbox: what a step decided to say, kept with the state until Kafka has acknowledged it.

1. A step's messages are appended to the stored outbox in the same transaction as the state that they follow from.
2. Only then are they published, in order, by one task per partition, and tried again until every one is acknowledged: each time
   what all steps have said since the last time.
3. Acknowledged messages are trimmed from the stored outbox by the partition's next transaction.

A worker that dies between 2 and 3 leaves them behind; its successor publishes them again, byte for byte the same. So every message goes out
at least once, and a reader who looks at its id sees it once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from streams.errors import Corrupt
from streams.outgoing import Outgoing

SETTLE_SECONDS = 0.02
SETTLE_LOOKS = 250

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Outgoing)


class Publisher(Protocol):
    """The way to Kafka."""

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Return when every message is acknowledged by all in-sync replicas; raises nothing that a retry could mend."""


def encode_outgoing(message: Outgoing) -> bytes:
    """A message as it is stored in the outbox."""
    return _encoder.encode(message)


def decode_outgoing(entry: bytes) -> Outgoing:
    """The message of a stored outbox entry; raises `Corrupt` for anything else."""
    try:
        return _decoder.decode(entry)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Corrupt(
            f"an outbox entry cannot be read ({error}): delete the partition's outbox key to drop it"
        ) from error


class Outbox:
    """The messages of one partition between their transaction and their acknowledgement."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._waiting: deque[tuple[Sequence[Outgoing], Callable[[], object] | None]] = deque()
        self._work = asyncio.Event()
        self._pending = 0
        self.settled = 0
        """Acknowledged since the last trim: how many entries the next transaction may drop."""
        self.acknowledged = 0
        """Messages that Kafka has acknowledged so far: whoever watches sees by it that something moves."""

    @property
    def pending(self) -> int:
        """Messages not yet acknowledged."""
        return self._pending

    def add(self, messages: Sequence[Outgoing], acknowledged: Callable[[], object] | None = None) -> None:
        """Queue messages whose transaction has succeeded; `acknowledged` is called when Kafka holds them and all before them.

        Of additions without messages that wait in a row only the last is heard of: it speaks for those before, and however long
        Kafka takes nothing, they do not pile up.
        """
        if messages or self._waiting:
            if not messages and not self._waiting[-1][0]:
                self._waiting.pop()
            self._waiting.append((messages, acknowledged))
            self._pending += len(messages)
            self._work.set()
        elif acknowledged is not None:
            acknowledged()

    def clear(self) -> None:
        """Forget everything: the stored outbox is about to be read again."""
        self._waiting.clear()
        self._pending = self.settled = 0

    def trimmed(self, count: int) -> None:
        """A transaction has dropped `count` entries from the stored outbox."""
        self.settled -= count

    async def flush(self) -> None:
        """Publish everything queued; returns when it is acknowledged."""
        while self._waiting:
            # All that waits goes together: steps may come faster than acknowledgements do.
            entries = list(self._waiting)
            if said := [message for messages, _ in entries for message in messages]:
                while not entries[-1][0]:
                    entries.pop()  # the next step may replace it
                await self._publisher.publish(said)
                if not self._waiting or self._waiting[0] is not entries[0]:
                    continue  # cleared meanwhile: these messages will be read from the store and sent again
            for messages, acknowledged in entries:
                self._waiting.popleft()
                self._pending -= len(messages)
                self.settled += len(messages)
                self.acknowledged += len(messages)
                if acknowledged is not None:
                    acknowledged()

    async def settle(self) -> None:
        """Wait a little for what is on its way to be acknowledged."""
        for _ in range(SETTLE_LOOKS):
            if not self._pending:
                break
            await asyncio.sleep(SETTLE_SECONDS)

    async def run(self) -> None:
        """Publish for ever, as messages come."""
        while True:
            await self._work.wait()
            self._work.clear()
            await self.flush()
