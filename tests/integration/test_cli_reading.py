"""Alerts, dead letters, customers and models through the command line: what was written is what is shown."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from agents.meta import Meta, encode_meta
from agents.outbox import encode_outgoing
from alerts.alert import Alert, ModelStamp, Trigger, ValueAtRisk, encode
from chaos.topics import produce, read
from churnwatch.compose import first_guide
from churnwatch.learner_access import open_learner_store
from churnwatch.redis_client import open_redis
from churnwatch.settings import Settings
from features.redis_store import RedisStore
from features.store import Commit
from models.store import LearnerCommit
from streams.codec import RawRecord, Rejected
from streams.deadletter import dead_letter
from streams.outgoing import Outgoing
from tests.integration.cli_runner import Run, create_all, pointed, runner, store_customer


@pytest.fixture(autouse=True)
def settings(
    kafka_bootstrap: str, redis_url: str, topic_prefix: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    yield from pointed(monkeypatch, kafka_bootstrap, redis_url, topic_prefix, namespace)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


@pytest.fixture
def inputs(create_topics: Callable[..., None], settings: Settings) -> None:
    create_all(create_topics, settings)


def alert(number: int, band: Any = "high") -> bytes:
    stake, model = ValueAtRisk(10.0, "EUR"), ModelStamp("1", 10)
    at = f"1998-01-01T00:00:{number:02}Z"
    return encode(
        Alert(
            1,
            f"a{number}",
            "e",
            f"c{number}",
            "opened",
            at,
            0.9,
            0.6,
            band,
            "new",
            stake,
            [],
            [],
            False,
            model,
            Trigger("silence"),
        )
    )


# -- alerts and dead letters -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("inputs")
def test_alerts_are_listed_newest_last_and_filtered(run: Run, settings: Settings) -> None:
    topic = settings.topics().alerts
    values = [alert(number, "critical" if number % 2 else "high") for number in range(9)]
    messages = [Outgoing(topic, b"c%d" % number, value) for number, value in enumerate(values)]
    produce(settings, [*messages, messages[3], Outgoing(topic, b"x", b"no alert")])
    assert [line.encode() for line in run("alerts", "--json").splitlines()] == values
    some = run("alerts", "--json", "--band", "critical", "--limit", "2").splitlines()
    assert [json.loads(line)["alert_id"] for line in some] == ["a5", "a7"]
    late = run("alerts", "--json", "--since", "1998-01-01T00:00:08Z").splitlines()
    assert [json.loads(line)["alert_id"] for line in late] == ["a8"]
    assert "c8" in run("alerts", "--customer", "c8")
    produce(settings, [Outgoing(topic, b"c9", alert(9), [("churnwatch.owner", b"north")])])
    owned = run("alerts", "--json", "--owner", "north", "--owner", "south", "--band", "high", "--band", "watch")
    assert [json.loads(line)["alert_id"] for line in owned.splitlines()] == ["a9"]


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_alerts_are_followed_until_told_to_stop(ending: signal.Signals, settings: Settings) -> None:
    topic, values = settings.topics().alerts, [alert(number) for number in range(3)]
    produce(settings, [Outgoing(topic, b"c0", values[0])])
    # The handler is set anew: a shell that runs the tests in its background has SIGINT ignored, and that is inherited.
    start = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from churnwatch.cli import main; main()"
    command = [sys.executable, "-c", start, "alerts", "--follow", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as following:
        assert following.stdout is not None
        assert following.stderr is not None
        assert following.stdout.readline().strip() == values[0]
        for number in (1, 2):
            produce(settings, [Outgoing(topic, b"c%d" % number, values[number])])
            assert following.stdout.readline().strip() == values[number]
        following.send_signal(ending)
        assert following.wait(20) == 130
        assert following.stderr.read() == b""


@pytest.mark.usefixtures("inputs")
def test_dead_letters_are_counted_shown_and_played_again_untouched(run: Run, settings: Settings) -> None:
    orders, logins = (settings.topics().inputs[stream] for stream in ("orders", "logins"))
    record = RawRecord(orders, 1, 5, 0, b"ann", b"\x00bad", (("trace", b"1"),))
    bad = [
        Rejected(record, "malformed", "ValueError", "not JSON", "decode"),
        Rejected(record, "future", "ValueError", "too early", "validate"),
        Rejected(RawRecord(logins, 0, 1, 0, None, b"{}"), "invalid", "ValueError", "no id", "validate"),
    ]
    produce(settings, [dead_letter(rejected, 1000) for rejected in bad])
    told = json.loads(run("dlq", "list", "--json"))
    assert told["total"] == 3
    assert {(count["topic"], count["reason"]) for count in told["counts"]} == {
        (orders, "malformed"),
        (orders, "future"),
        (logins, "invalid"),
    }
    assert json.loads(run("dlq", "replay", "--dry-run", "--topic", orders, "--json"))["total"] == 2
    assert read(settings, orders) == []
    assert json.loads(run("dlq", "replay", "--reason", "malformed", "--json"))["total"] == 1
    (again,) = read(settings, orders)
    first_failed_at = ("churnwatch.first_failed_at", b"1970-01-01T00:00:01Z")
    assert (again.key, again.value, again.headers) == (b"ann", b"\x00bad", (("trace", b"1"), first_failed_at))
    assert "2" in run("dlq", "list", "--topic", f"{orders}.dlq")


# -- one customer ------------------------------------------------------------------------------------------------------


def state_of(settings: Settings, partition: int, customer_id: str) -> tuple[Any, list[Any], list[bytes]]:
    async def look() -> tuple[Any, list[Any], list[bytes]]:
        async with open_redis(settings) as client:
            store = RedisStore(client, settings.redis_namespace, partition)
            try:
                await store.open()
                values, due = await store.read([customer_id], 1 << 50, 10)
                return values[0], due, await store.outbox()
            finally:
                await store.close()

    return asyncio.run(look())


@pytest.mark.usefixtures("inputs")
def test_a_customer_is_shown_whole(run: Run, settings: Settings) -> None:
    partition = store_customer(settings, "ann", [])
    told = json.loads(run("customer", "ann", "--json"))
    assert (told["customer_id"], told["partition"], told["basis"]) == ("ann", partition, "rule")
    assert told["state"]["orders"] == 1
    assert told["reasons"]
    assert told["features"]["orders_30d"]["unit"] == "orders"
    later = json.loads(run("customer", "ann", "--at", "1998-09-30T00:00:00Z", "--json"))
    assert later["risk"] > told["risk"]
    assert "order_silence_days" in run("customer", "ann")
    run("customer", "ann", "--at", "1990-01-01T00:00:00Z", code=2)
    run("customer", "nobody", code=1)


@pytest.mark.usefixtures("inputs")
def test_a_forgotten_customer_leaves_no_state_and_two_tombstones(run: Run, settings: Settings) -> None:
    topics = settings.topics()
    entries = [encode_outgoing(Outgoing(topics.alerts, who, b"{}")) for who in (b"ann", b"bob")]
    partition = store_customer(settings, "ann", entries)
    told = json.loads(run("forget", "ann", "--json"))
    assert (told["erased"], told["partition"], told["read_by_worker"]) == (True, partition, True)
    assert state_of(settings, partition, "ann") == (None, [], entries[1:])
    for topic in (topics.inputs["profiles"], topics.scores):
        assert [(record.key, record.value) for record in read(settings, topic)] == [(b"ann", None)]
    assert any("retention" in line for line in told["remains"])
    run("customer", "ann", code=1)


# -- the model ---------------------------------------------------------------------------------------------------------


def test_an_earlier_model_can_be_gone_back_to(run: Run, settings: Settings) -> None:
    run("model", "show", code=1)

    async def learn() -> None:
        guides = [
            msgspec.structs.replace(
                first_guide(), version=n, learnt_until_ms=n * 1000, examples=n, quality={"auc": 0.7}
            )
            for n in (1, 2, 3)
        ]
        async with open_redis(settings) as client:
            store = open_learner_store(client, settings)
            await store.open()
            await store.commit(LearnerCommit(b"state", 9, 3000, guides))
            await store.close()

    asyncio.run(learn())
    assert json.loads(run("model", "show", "--json"))["version"] == 3
    assert [entry["version"] for entry in json.loads(run("model", "history", "--json"))["models"]] == [1, 2, 3]
    assert json.loads(run("model", "rollback", "--json")) == {"pinned": 2}
    shown = json.loads(run("model", "show", "--json"))
    assert (shown["version"], shown["newest"], shown["pinned"]) == (2, 3, 2)
    assert json.loads(run("model", "rollback", "1", "--json")) == {"pinned": 1}
    run("model", "rollback", "77", code=1)
    assert json.loads(run("model", "rollback", "--newest", "--json")) == {"pinned": None}
    assert "auc" in run("model", "show")


@pytest.mark.usefixtures("inputs")
def test_the_doctor_sees_state_of_partitions_that_there_are_no_more(run: Run, settings: Settings) -> None:
    async def leave() -> None:
        async with open_redis(settings) as client:
            store = RedisStore(client, settings.redis_namespace, 9)
            await store.open()
            await store.commit(Commit(encode_meta(Meta(commits=1))))
            await store.close()

    asyncio.run(leave())
    told = json.loads(run("doctor", "--json", code=1))
    assert "partitions beyond the 4" in next(
        finding["found"] for finding in told["findings"] if finding["what"] == "state"
    )
