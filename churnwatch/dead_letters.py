"""What stands in the dead-letter topics, and the way back: the untouched key and value to the topic they came from."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from churnwatch.kafka import open_producer
from churnwatch.settings import Settings
from churnwatch.topic_reader import read_topics
from streams.deadletter import CONNECT, FIRST_FAILED_AT, REASON, is_error_header

VALUE_CHARS_SHOWN: Final = 2000
IN_FLIGHT_MAX: Final = 500
REQUEST_BYTES_MAX: Final = 64 << 20
"""Above the largest message that a broker is likely to have taken: oversized events are dead letters too."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message of a dead-letter topic.

    Attributes:
        topic: the topic it came from, `partition` and `offset` its place there.
        reason: one of the published reasons; `message` says more.
        failed_at: when it was first refused, as written in the header.
        headers: the original ones, and the time of the first failure, which stays with a record that fails again.
    """

    topic: str
    partition: str
    offset: str
    reason: str
    message: str
    failed_at: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    def shown(self) -> dict[str, Any]:
        """Give what a person or program wants to see; a long value is cut."""
        value = None if self.value is None else self.value[: 4 * VALUE_CHARS_SHOWN].decode(errors="replace")
        return {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "reason": self.reason,
            "message": self.message,
            "first_failed_at": self.failed_at,
            "key": None if self.key is None else self.key.decode(errors="replace"),
            "value": None if value is None else value[:VALUE_CHARS_SHOWN],
        }


def read_letter(
    key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]], origin: str
) -> DeadLetter:
    """Read a message of a dead-letter topic; `origin` is the topic it must have come from where no header says so."""
    said = {name: text.decode(errors="replace") for name, text in headers if is_error_header(name)}
    return DeadLetter(
        topic=said.get(f"{CONNECT}topic", origin),
        partition=said.get(f"{CONNECT}partition", ""),
        offset=said.get(f"{CONNECT}offset", ""),
        reason=said.get(REASON, "unknown"),
        message=said.get(f"{CONNECT}exception.message", ""),
        failed_at=said.get(FIRST_FAILED_AT, ""),
        key=key,
        value=value,
        headers=tuple((name, text) for name, text in headers if name == FIRST_FAILED_AT or not is_error_header(name)),
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters are meant; None means all. `topic` may be the original or the dead-letter topic."""

    topic: str | None = None
    reason: str | None = None

    def topics(self, settings: Settings) -> Mapping[str, str]:
        """Give the dead-letter topics to read, each with the topic it belongs to."""
        names = settings.topics()
        every = {names.dlq(topic): topic for topic in names.with_letters()}
        return {dlq: topic for dlq, topic in every.items() if self.topic in {None, dlq, topic}}


async def letters(settings: Settings, choice: Choice) -> AsyncGenerator[DeadLetter, None]:
    """Yield the chosen dead letters that stand there now."""
    origins = choice.topics(settings)
    async with aclosing(read_topics(settings, list(origins))) as records:
        async for record in records:
            if record is None:
                continue
            letter = read_letter(record.key, record.value, record.headers, origins[record.topic])
            if choice.reason in {None, letter.reason}:
                yield letter


class Tally:
    """How many dead letters, by topic and reason, and the last `keep` of them."""

    def __init__(self, keep: int = 0) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.last: deque[DeadLetter] = deque(maxlen=keep)

    def add(self, letter: DeadLetter) -> None:
        """Count one."""
        self.counts[letter.topic, letter.reason] += 1
        self.last.append(letter)

    def shown(self) -> dict[str, Any]:
        """Give the tally as plain data."""
        return {
            "total": self.counts.total(),
            "counts": [
                {"topic": topic, "reason": reason, "count": count}
                for (topic, reason), count in sorted(self.counts.items())
            ],
            "last": [letter.shown() for letter in self.last],
        }


async def replay(settings: Settings, choice: Choice, *, dry_run: bool = False) -> Tally:
    """Publish the chosen dead letters again where they came from: same key, value and headers, less what the errors were.

    They stay in the dead-letter topic: a Kafka log is only ever appended to. Playing one twice does no harm, since the
    worker knows an `event_id` again; one that is still bad comes back as a new dead letter.
    """
    tally = Tally()
    async with aclosing(letters(settings, choice)) as chosen:
        if dry_run:
            async for letter in chosen:
                tally.add(letter)
            return tally
        async with open_producer(settings, max_request_size=REQUEST_BYTES_MAX) as producer:
            waiting: list[Any] = []
            async for letter in chosen:
                waiting.append(
                    await producer.send(letter.topic, letter.value, letter.key, headers=list(letter.headers))
                )
                tally.add(letter)
                if len(waiting) >= IN_FLIGHT_MAX:
                    await asyncio.gather(*waiting)
                    waiting.clear()
            await asyncio.gather(*waiting)
    return tally
