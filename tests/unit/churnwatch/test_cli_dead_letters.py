"""A dead letter is read for what it was, and goes back as it came."""

from churnwatch.dead_letters import Choice, DeadLetter, Tally, read_letter
from churnwatch.settings import Settings
from streams.codec import RawRecord, Rejected
from streams.deadletter import dead_letter

RECORD = RawRecord("customer.orders", 3, 17, 5, b"ann", b"\xff not json", (("trace", b"abc"),))
REJECTED = Rejected(RECORD, "malformed", "ValueError", "it is not JSON", "decode")


def letter(rejected: Rejected = REJECTED) -> DeadLetter:
    sent = dead_letter(rejected, 883_612_800_000)
    return read_letter(sent.key, sent.value, sent.headers, "elsewhere")


def test_what_the_worker_wrote_is_read_back() -> None:
    read = letter()
    assert (read.topic, read.partition, read.offset) == ("customer.orders", "3", "17")
    assert (read.reason, read.message, read.failed_at) == ("malformed", "it is not JSON", "1998-01-01T00:00:00Z")
    assert (read.key, read.value) == (RECORD.key, RECORD.value)
    # It keeps the time of its first failure, should it come back as a dead letter.
    assert read.headers == (*RECORD.headers, ("churnwatch.first_failed_at", b"1998-01-01T00:00:00Z"))


def test_bytes_that_are_no_text_can_be_shown() -> None:
    assert letter().shown()["value"] == "\ufffd not json"
    assert read_letter(None, None, (), "t").shown()["value"] is None


def test_a_message_without_our_headers_belongs_to_its_topic() -> None:
    stranger = read_letter(b"k", b"v", [("own", b"1")], "customer.logins")
    assert (stranger.topic, stranger.reason, stranger.headers) == ("customer.logins", "unknown", (("own", b"1"),))


def test_a_choice_takes_either_name_of_a_topic() -> None:
    settings = Settings(topic_prefix="p.")
    one = {"p.customer.orders.dlq": "p.customer.orders"}
    assert Choice("p.customer.orders").topics(settings) == one
    assert Choice("p.customer.orders.dlq").topics(settings) == one
    assert Choice("customer.orders").topics(settings) == {}
    assert Choice("p.churn.alerts").topics(settings) == {"p.churn.alerts.dlq": "p.churn.alerts"}
    assert len(Choice().topics(settings)) == 8


def test_a_tally_counts_all_and_keeps_a_few() -> None:
    tally = Tally(keep=2)
    for _ in range(5):
        tally.add(letter())
    told = tally.shown()
    assert told["total"] == 5
    assert told["counts"] == [{"topic": "customer.orders", "reason": "malformed", "count": 5}]
    assert len(told["last"]) == 2


def test_a_tally_keeps_none_where_none_are_asked_for() -> None:
    tally = Tally()
    tally.add(letter())
    assert not tally.last
