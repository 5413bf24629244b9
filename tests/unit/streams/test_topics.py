import pytest
from aiokafka.partitioner import murmur2 as murmur2_of_aiokafka

from streams.errors import ConfigError
from streams.events import STREAMS
from streams.murmur2 import murmur2
from streams.topics import DEFAULTS, DLQ_MESSAGE_BYTES_MAX, OPTIONAL_STREAMS, Topics, partition_for

PUBLISHED = {
    "logins": "customer.logins",
    "orders": "customer.orders",
    "tickets": "customer.tickets",
    "reviews": "customer.reviews",
    "profiles": "customer.profiles",
    "cancellations": "customer.cancellations",
    "outcomes": "churn.outcomes",
}


def test_the_defaults_are_the_published_names() -> None:
    topics = Topics()
    assert topics.inputs == PUBLISHED
    assert (topics.alerts, topics.scores, topics.examples) == ("churn.alerts", "churn.scores", "churn.examples")
    assert list(topics.inputs) == list(STREAMS)


def test_a_topic_leads_back_to_its_stream() -> None:
    topics = Topics(prefix="eu.", names={"orders": "shop-orders"})
    assert {topics.stream_of(topic) for topic in topics.inputs.values()} == set(STREAMS)
    assert topics.stream_of("eu.shop-orders") == "orders"
    for other in ("shop-orders", "customer.orders", topics.alerts, topics.dlq("eu.shop-orders")):
        with pytest.raises(KeyError):
            topics.stream_of(other)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"order": "x"}, "unknown topic setting order"),
        ({"orders": "customer.logins"}, "same name"),
        ({"alerts": "customer.orders.dlq"}, "same name"),
        ({"scores": "churn.alerts.dlq"}, "same name"),
        ({"orders": ""}, "topic of orders"),
        ({"orders": "my orders"}, "topic of orders"),
        ({"scores": "x" * 246}, "topic of scores"),
        ({"scores": "é"}, "topic of scores"),
    ],
)
def test_names_that_cannot_be_are_refused_by_name(names: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Topics(names=names)


def test_a_prefix_counts_towards_the_name() -> None:
    with pytest.raises(ConfigError, match="cannot be named"):
        Topics(prefix="eu/")
    with pytest.raises(ConfigError, match="cannot be named"):
        Topics(prefix="x" * 240)


def test_every_topic_is_specified_once() -> None:
    topics = Topics()
    specs = {spec.name: spec for spec in topics.specs()}
    letters = {topics.dlq(topic) for topic in [*topics.inputs.values(), "churn.alerts"]}
    assert set(specs) == {*DEFAULTS.values(), *letters}
    assert len(topics.specs()) == len(specs)
    assert {name for name, spec in specs.items() if spec.compacted} == {"customer.profiles", "churn.scores"}
    assert {name: spec.partitions for name, spec in specs.items() if spec.partitions} == {"churn.examples": 1}
    assert {specs[letter].message_bytes_max for letter in letters} == {DLQ_MESSAGE_BYTES_MAX}


def test_an_installation_may_do_without_the_optional_ones() -> None:
    assert Topics().required() == [topic for stream, topic in PUBLISHED.items() if stream not in OPTIONAL_STREAMS]


# From org.apache.kafka.common.utils.UtilsTest.testMurmur2.
KAFKAS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("key", KAFKAS)
def test_the_hash_is_kafkas(key: bytes) -> None:
    assert murmur2(key) == KAFKAS[key] % (1 << 32)


@pytest.mark.parametrize("length", range(12))
def test_the_hash_is_the_clients_at_every_length(length: int) -> None:
    key = bytes(range(255, 255 - length, -1))
    assert murmur2(key) == murmur2_of_aiokafka(key)


def test_a_partition_is_the_positive_hash_modulo_their_number() -> None:
    assert partition_for(b"foobar", 7) == (-790332482 & 0x7FFFFFFF) % 7
    assert {partition_for(str(number).encode(), 4) for number in range(50)} == {0, 1, 2, 3}
