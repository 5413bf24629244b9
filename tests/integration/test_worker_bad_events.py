"""Every kind of bad event among good ones: each in its dead-letter topic with its reason, every good one applied, no partition stopped."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from agents.record import decode_customer
from chaos.installation import PARTITIONS, Installation, installation
from chaos.topics import read
from chaos.workers import WorkerProcess
from churnwatch.services import Services
from churnwatch.topic_layout import known_to_brokers
from streams.deadletter import CONNECT, FIRST_FAILED_AT, REASON, is_error_header
from streams.time import DAY_MS, iso, parse_instant
from streams.topics import DLQ_MESSAGE_BYTES_MAX, partition_for
from tests.bad_events import BAD_EVENTS, FIELDS, KEY, OVERSIZED_BYTES, BadEvent, encoded, good

START_MS = parse_instant("2024-05-01T10:00:00Z")
END_MS = START_MS + 3 * DAY_MS
CUSTOMERS = [KEY.decode(), *(f"good-{number}" for number in range(19))]
STATE_STREAMS = ("logins", "orders", "tickets", "reviews")
EVERY_BAD = 3
"""So many bad events come between two good ones."""

LATE = BadEvent(
    "older than what is kept",
    "orders",
    KEY,
    encoded(good("orders", event_id="old", occurred_at=iso(START_MS - 300 * DAY_MS))),
    (),
    "late",
)

pytestmark = pytest.mark.slow


@pytest.fixture
def lab(
    services: Services, topic_prefix: str, namespace: str, tmp_path: Path, create_topics: Callable[..., None]
) -> Iterator[Installation]:
    """An installation whose input topics take 5 MB, too."""
    settings = {"clock": "replay", "replay_until_ms": END_MS, "learning_enabled": False}
    with installation(services, topic_prefix, namespace, tmp_path, create_all=False, **settings) as made:
        topics = made.settings.topics()
        if services.real_kafka:
            large = [*topics.inputs.values(), *map(topics.dlq, topics.inputs.values())]
            create_topics(large, PARTITIONS, {"max.message.bytes": str(DLQ_MESSAGE_BYTES_MAX)})
            create_topics([topics.alerts, topics.scores], PARTITIONS)
            create_topics([topics.examples], 1)
            asyncio.run(known_to_brokers(made.settings, [*large, topics.alerts, topics.scores, topics.examples]))
        yield made


def good_event(stream: str, customer: str, number: int) -> dict[str, Any]:
    at = iso(START_MS + number * 1000)
    return good(stream, event_id=f"{stream}-{number}", customer_id=customer, occurred_at=at)


@pytest.fixture
def bad_events(services: Services) -> list[BadEvent]:
    """All kinds; without those of 5 MB where the broker would forget all others for one of them."""
    fit = [bad for bad in BAD_EVENTS if services.real_kafka or len(bad.value or b"") < OVERSIZED_BYTES]
    assert len(fit) > 100
    return fit


def publish(lab: Installation, bad_events: list[BadEvent]) -> int:
    """Write the bad events among good ones, and a late one after all; return how many good ones there are."""
    producer = Producer(
        {
            "bootstrap.servers": lab.settings.kafka_bootstrap,
            "partitioner": "murmur2_random",
            "message.max.bytes": DLQ_MESSAGE_BYTES_MAX,
            "log_level": 0,
        }
    )
    inputs = lab.settings.topics().inputs

    def write(stream: str, key: bytes | None, value: bytes | None, headers: Any = ()) -> None:
        producer.produce(inputs[stream], value, key, headers=list(headers))

    number = 0

    def write_good() -> None:
        nonlocal number
        for stream in FIELDS:
            customer = CUSTOMERS[number % len(CUSTOMERS)]
            write(stream, customer.encode(), encoded(good_event(stream, customer, number)))
            number += 1

    for place, bad in enumerate(bad_events):
        if place % EVERY_BAD == 0:
            write_good()
        write(bad.stream, bad.key, bad.value, bad.headers)
    for _ in CUSTOMERS:
        write_good()  # behind the last bad one, on every partition of every topic
    write(LATE.stream, LATE.key, LATE.value)
    assert producer.flush(30) == 0
    return number


def test_forty_kinds_of_bad_events_and_more(lab: Installation, bad_events: list[BadEvent]) -> None:
    assert {partition_for(customer.encode(), PARTITIONS) for customer in CUSTOMERS} == set(range(PARTITIONS))
    count = publish(lab, bad_events)
    all_bad = [*bad_events, LATE]
    worker = lab.start()
    lab.wait_for(lambda: read_and_conserved(worker) == count + len(all_bad))
    lab.until(END_MS)

    # Good events are applied, all of them.
    states = {customer: decode_customer(value) for customer, value in lab.held().customers.items()}
    assert states.keys() == set(CUSTOMERS)
    orders = Counter(
        CUSTOMERS[number % len(CUSTOMERS)] for number in range(list(FIELDS).index("orders"), count, len(FIELDS))
    )
    assert Counter({customer: state.activity.orders for customer, state in states.items()}) == orders

    # Bad ones lie in the dead-letter topic of their topic, untouched, with the reason.
    topics = lab.settings.topics()
    letters = {topic: read(lab.settings, topics.dlq(topic)) for topic in topics.inputs.values()}
    records = {topic: {(r.partition, r.offset): r for r in read(lab.settings, topic)} for topic in letters}
    told: Counter[tuple[Any, ...]] = Counter(
        (topic, letter.key, letter.value, reason_of(letter)) for topic, found in letters.items() for letter in found
    )
    wanted: Counter[tuple[Any, ...]] = Counter(
        (topics.inputs[bad.stream], bad.key, bad.value, bad.reason) for bad in all_bad
    )
    assert told - wanted == Counter()
    assert wanted - told == Counter()
    for topic, found in letters.items():
        sources = [assert_like_its_record(topic, letter, records[topic]) for letter in found]
        assert len(set(sources)) == len(sources)

    # Nothing is lost in the count, topic by topic.
    events = worker.events()
    assert sum(found["applied"] for found in events.values()) == count
    assert sum(found["late"] for found in events.values()) == 1
    for topic, counts in events.items():
        assert counts["read"] == len(records[topic])
        assert counts["late"] + counts["dead_lettered"] == len(letters[topic])
    reasons: Counter[str] = Counter()
    for (name, labels), value in worker.metrics().items():
        if name == "churnwatch_dead_letters_total":
            reasons[dict(labels)["reason"]] += int(value)
    assert reasons == Counter(bad.reason for bad in all_bad)
    assert worker.get("/healthz")[0] == worker.get("/readyz")[0] == 200
    assert worker.terminate() == 0


def read_and_conserved(worker: WorkerProcess) -> int:
    """How many events are read; at every moment each of them has become something."""
    for counts in (events := worker.events()).values():
        assert counts["read"] == counts["applied"] + counts["duplicate"] + counts["late"] + counts["dead_lettered"]
    return sum(counts["read"] for counts in events.values())


def reason_of(letter: Any) -> str:
    return str(dict(letter.headers)[REASON].decode())


def assert_like_its_record(topic: str, letter: Any, records: dict[tuple[int, int], Any]) -> tuple[int, int]:
    """The headers lead to the record, whose bytes the letter carries; return where that is."""
    headers = {name: value.decode() for name, value in letter.headers if is_error_header(name)}
    place = int(headers[f"{CONNECT}partition"]), int(headers[f"{CONNECT}offset"])
    record = records[place]
    assert headers[f"{CONNECT}topic"] == topic
    assert (letter.key, letter.value) == (record.key, record.value)
    assert [header for header in letter.headers if not is_error_header(header[0])] == list(record.headers)
    assert all(headers[f"{CONNECT}{name}"] for name in ("stage", "exception.class.name", "exception.message"))
    assert parse_instant(headers[FIRST_FAILED_AT]) > START_MS
    return place
