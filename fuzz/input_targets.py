"""What comes by Kafka: records of the input topics, and alerts, scores and dead letters that are read back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, get_args

import msgspec

from agents.effects import Effects
from agents.guides import GuideBook
from agents.outbox import decode_outgoing, encode_outgoing
from agents.record import Customer, encode_customer
from alerts import alert as alerts
from alerts import score as scores
from churnwatch import compose
from churnwatch.alert_list import row
from churnwatch.dead_letters import read_letter
from fuzz.oracle import Parts, Target, WrongAnswerError
from fuzz.samples import NOW_MS, Samples
from models.labels import ExampleBatch, encode_batch
from streams.codec import MESSAGE_MAX, Arrival, Limits, RawRecord, Reason, Rejected, decode
from streams.deadletter import dead_letter
from streams.events import STREAMS
from streams.time import INSTANT_MAX_MS, INSTANT_MIN_MS, iso, parse_duration, parse_instant

LIMITS: Final = Limits(value_bytes_max=8_192)
REASONS: Final = frozenset(get_args(Reason))
NULL: Final = b"\0null"

_headers = msgspec.msgpack.Decoder(list[tuple[str, bytes]])
_nothing = msgspec.msgpack.encode([])


def expect(held: bool, what: str) -> None:  # noqa: FBT001 - an assertion that runs under any flag
    """Raise `WrongAnswerError` unless it holds."""
    if not held:
        raise WrongAnswerError(what)


def input_targets(made: Samples) -> list[Target]:
    """Return the targets of this file."""
    return [
        codec_target(made),
        cloudevents_target(made),
        Target("time", [(text,) for text in TIMES], read_time, 6.0),
        alerts_target(made),
        letters_target(),
    ]


# -- records -----------------------------------------------------------------------------------------------------------


def headers_of(part: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return the headers that a part says; none where it says nothing."""
    try:
        return tuple(_headers.decode(part))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return (("content-type", part),)


def record_parts(stream: str, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]] = ()) -> Parts:
    """Return a record as parts: its stream's place with its time stamp, key, value, headers."""
    place = bytes((list(STREAMS).index(stream),)) + NOW_MS.to_bytes(8, "big")
    return place, key, value, msgspec.msgpack.encode(headers)


class Records:
    """Decodes a record as the worker does, and works on it or writes its dead letter."""

    def __init__(self, made: Samples) -> None:
        self._pipeline = compose.pipeline(made.settings)
        self._guides = GuideBook(compose.first_guide())
        self._streams = list(STREAMS)

    def __call__(self, parts: Parts) -> bool:
        head, key, value, headers = parts
        stream = self._streams[(head[0] if head else 0) % len(self._streams)]
        record = RawRecord(
            f"customer.{stream}",
            3,
            1 << 40,
            int.from_bytes(head[1:9], "big", signed=True),
            None if key == NULL else key,
            None if value == NULL else value,
            headers_of(headers),
        )
        found = decode(record, stream, LIMITS, NOW_MS)
        if isinstance(found, Rejected):
            _write_letter(found)
            return False
        self._work_on(found)
        return True

    def _work_on(self, arrival: Arrival) -> None:
        """A valid event of a customer of whom nothing is known: it must be applied once, and change nothing the second time."""
        expect(INSTANT_MIN_MS <= arrival.event.occurred_at <= NOW_MS + LIMITS.future_ms_max, "an event of another time")
        customers: dict[str, Customer] = {}
        at_ms = arrival.event.occurred_at
        effects = Effects()
        for _ in range(2):
            effects = self._pipeline.step(customers, [arrival], [], at_ms, at_ms, self._guides, NOW_MS)
            expect(not effects.failures, "a valid event could not be worked on")
            stored = [encode_customer(customer) for customer in customers.values()]
            expect(all(len(value) < 65_536 for value in stored), "a customer of one event fills a page")
            for message in effects.outgoing:
                encode_outgoing(message)
            encode_batch(
                ExampleBatch(0, 1, 1, at_ms, False, effects.examples, effects.stats.take(), effects.inputs.take())
            )
        if arrival.record.value is not None:
            expect(not effects.outgoing, "a repetition was heard")


def _write_letter(rejected: Rejected) -> None:
    expect(rejected.reason in REASONS, f"no reason of the contract: {rejected.reason}")
    expect(0 < len(rejected.message) <= MESSAGE_MAX, "a message of no or too many characters")
    letter = dead_letter(rejected, NOW_MS)
    expect(decode_outgoing(encode_outgoing(letter)) == letter, "the letter changes in the outbox")
    read = read_letter(letter.key, letter.value, letter.headers, "nowhere")
    expect(read.key == rejected.record.key and read.value == rejected.record.value, "the letter is not the record")
    expect(read.reason == rejected.reason, "the letter has another reason")
    json.dumps(read.shown(), ensure_ascii=False).encode()


def _split(line: bytes) -> tuple[str, bytes, bytes]:
    event = json.loads(line)
    stream = event.pop("stream")
    return stream, event["customer_id"].encode(), json.dumps(event, ensure_ascii=False).encode()


def codec_target(made: Samples) -> Target:
    """Plain events and tombstones."""
    given = [record_parts(*_split(line)) for line in made.lines[:80]]
    given += [record_parts("profiles", b"c-1", NULL), record_parts("orders", NULL, NULL)]
    return Target("codec", given, Records(made), 30.0)


def cloudevents_target(made: Samples) -> Target:
    """The same events in both modes of CloudEvents."""
    given = []
    for line in made.lines[:40]:
        stream, key, value = _split(line)
        event = json.loads(value)
        names = {
            "id": event.pop("event_id"),
            "time": iso(parse_instant(event.pop("occurred_at"))),
            "subject": event.pop("customer_id"),
            "specversion": "1.0",
            "source": "shop",
            "type": "t",
        }
        rest = json.dumps(event).encode()
        given.append(
            record_parts(stream, key, rest, [(f"ce_{name}", str(text).encode()) for name, text in names.items()])
        )
        whole = json.dumps({**names, "data": event}).encode()
        given.append(
            record_parts(stream, key, whole, [("content-type", b"application/cloudevents+json; charset=utf-8")])
        )
    return Target("cloudevents", given, Records(made), 16.0)


TIMES: Final = (
    b"2026-03-01T12:00:00Z",
    b"1997-01-01T13:00:00.123456789+01:00",
    b"1970-01-01t00:00:00-23:59",
    b"9999-12-31T23:59:59.999Z",
    b"60d",
    b"250ms",
    b"1772366400000",
)


def read_time(parts: Parts) -> bool:
    """An instant or a span of time, from text or from a number."""
    text = parts[0].decode(errors="surrogateescape")
    values: list[str | int] = [text]
    if text.lstrip("-").isdigit() and text.isascii() and len(text) < 400:
        values.append(int(text))
    read = 0
    for value in values:
        try:
            at_ms = parse_instant(value)
        except ValueError:
            continue
        expect(INSTANT_MIN_MS <= at_ms <= INSTANT_MAX_MS and parse_instant(iso(at_ms)) == at_ms, "another instant")
        read += 1
    try:
        expect(0 <= parse_duration(text) < 1 << 63, "a span beyond 64 bits")
    except ValueError:
        return read > 0
    return True


# -- what is read back ------------------------------------------------------------------------------------------------


def alerts_target(made: Samples) -> Target:
    """Alerts and scores, as the commands that show them read them."""
    given: list[Parts] = [(b"a", alerts.encode(alert)) for alert in made.backtest.alerts[:20]]
    stamp = alerts.model_stamp("model", 3, 900)
    score = scores.build(
        customer_id="c-1", at_ms=NOW_MS, risk=0.7, band="high", previous_band=None, segment="loyal", model=stamp
    )
    given.append((b"s", scores.encode(score)))

    def run(parts: Parts) -> bool:
        if parts[0] == b"s":
            scores.encode(scores.decode(parts[1]))
        else:
            found = alerts.decode(parts[1])
            row(found)
            alerts.encode(found)
        return True

    return Target("alerts", given, run, 5.0)


def letters_target() -> Target:
    """Dead letters with headers that somebody else wrote."""
    record = RawRecord("customer.orders", 1, 7, NOW_MS, b"c-1", b'{"amount": -1}', (("trace", b"abc"),))
    letter = dead_letter(Rejected(record, "invalid", "ValueError", "amount: below 0", "validate"), NOW_MS)
    sample = (letter.key or b"", letter.value or b"", msgspec.msgpack.encode(letter.headers))

    def run(parts: Parts) -> bool:
        key, value, headers = parts
        read = read_letter(key, None if value == NULL else value, headers_of(headers), "customer.orders")
        json.dumps(read.shown(), ensure_ascii=False).encode()
        # Refused again: the letter about a letter.
        again = RawRecord("customer.orders", 1, 8, NOW_MS, key, value, read.headers)
        _write_letter(Rejected(again, "malformed", "ValueError", "again", "decode"))
        return True

    return Target("letters", [sample, (b"", NULL, _nothing)], run, 4.0)
