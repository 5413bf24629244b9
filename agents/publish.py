"""The way to Kafka for what the outbox carries: an idempotent producer, tried again until every message is acknowledged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, OutOfOrderSequenceNumber

from streams.errors import TransportError
from streams.outgoing import Outgoing

log = logging.getLogger("churnwatch.publish")

RETRY_SECONDS: Final = 1.0
IN_FLIGHT_MAX: Final = 1_000
NOTHING: Final = b"\0null"
"""What `send` is given for the null value of a message without key, which aiokafka refuses; `on_the_wire` makes it null again."""

VALUE_BYTES: Final = "churnwatch.value_bytes"
"""Header in place of a value that the broker refuses to take for its size."""


def on_the_wire(value: bytes | None) -> bytes | None:
    """The producer's `value_serializer`: a tombstone without key is a bad event, but its dead letter is like it."""
    return None if value is NOTHING else value


class KafkaPublisher:
    """Publishes batches in order; `waiting` hears why it cannot, `took` how many seconds a batch took."""

    def __init__(
        self, producer: AIOKafkaProducer, waiting: Callable[[str], None], took: Callable[[float], None]
    ) -> None:
        self._producer = producer
        self._waiting = waiting
        self._took = took

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Return when every message is acknowledged by all in-sync replicas."""
        started = perf_counter()
        for first in range(0, len(messages), IN_FLIGHT_MAX):
            left = list(messages[first : first + IN_FLIGHT_MAX])
            while left:
                left = await self._send(left)
        self._took(perf_counter() - started)

    async def _send(self, messages: Sequence[Outgoing]) -> list[Outgoing]:
        """Send once; return what is to be sent again."""
        sent = []
        for place, message in enumerate(messages):
            try:
                sent.append(await self._enqueue(message))
            except MessageSizeTooLargeError:
                return [*messages[:place], _without_value(message), *messages[place + 1 :]]
            except KafkaError as error:
                await self._hold(error)
                return list(messages)
        results = await asyncio.gather(*sent, return_exceptions=True)
        again: list[Outgoing] = []
        failed: set[tuple[str, bytes | None]] = set()
        for message, result in zip(messages, results, strict=True):
            about = message.topic, message.key
            if isinstance(result, MessageSizeTooLargeError):
                again.append(_without_value(message))
            elif isinstance(result, BaseException) or about in failed:
                again.append(message)  # also what came after it, or the older would be the last that is heard
                failed.add(about)
        failure = next((result for result in results if isinstance(result, BaseException)), None)
        if failure is not None and not isinstance(failure, MessageSizeTooLargeError):
            await self._hold(failure)
        return again

    async def _enqueue(self, message: Outgoing) -> asyncio.Future[object]:
        value = NOTHING if message.key is None and message.value is None else message.value
        future: asyncio.Future[object] = await self._producer.send(
            message.topic, value, message.key, message.partition, headers=message.headers
        )
        return future

    async def _hold(self, error: BaseException) -> None:
        if not isinstance(error, KafkaError):
            raise error
        if isinstance(error, OutOfOrderSequenceNumber):
            # A refused batch, such as one that the access lists did not allow, has used up its numbers: this producer is spoilt.
            raise TransportError(
                f"Kafka takes no more from this producer after a refusal ({error!r}); nothing is lost, start the worker again"
            ) from error
        self._waiting(f"messages cannot be published: {error!r}")
        await asyncio.sleep(RETRY_SECONDS)


def _without_value(message: Outgoing) -> Outgoing:
    """The message for a broker that will not take its value: the loss is said, in the log and in a header."""
    size = len(message.value or b"")
    log.error(
        "%s does not take %d bytes: sent without its value; raise the topic's max.message.bytes", message.topic, size
    )
    headers = [*message.headers, (VALUE_BYTES, str(size).encode())]
    return Outgoing(message.topic, message.key, None, headers, message.partition)
