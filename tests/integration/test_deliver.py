"""`churnwatch deliver` in a process of its own: everything arrives once, in order, signed, whatever receiver and process go through."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.alert import Alert, ModelStamp, Trigger, ValueAtRisk, encode
from chaos.topics import produce, read
from chaos.workers import mortal
from churnwatch.child import free_port
from churnwatch.settings import Settings
from churnwatch.settings_webhook import secret_key
from churnwatch.webhook_signing import signature
from streams.outgoing import Outgoing
from studies.webhook_receiver import BadReceiver
from tests.integration.cli_runner import pointed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
QUICK = {"BACKOFF": "5ms", "BACKOFF_MAX": "50ms", "TIMEOUT": "300ms", "START": "beginning"}
DELIVER = mortal(sys.executable, "-c", "from churnwatch.cli import main; main()", "deliver")
SECONDS_MAX = 30.0
CUSTOMERS = 6


@pytest.fixture(autouse=True)
def settings(
    kafka_bootstrap: str, redis_url: str, topic_prefix: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    for made in pointed(monkeypatch, kafka_bootstrap, redis_url, topic_prefix, namespace):
        # `pointed` clears the environment first, and groups must not be shared between tests either.
        monkeypatch.setenv("CHURNWATCH_KAFKA_GROUP_ID", f"{topic_prefix}g")
        # The least that a broker allows: so long the partitions of a killed process rest.
        monkeypatch.setenv("CHURNWATCH_KAFKA_SESSION", "6s")
        yield made


@pytest.fixture
def topic(create_topics: Callable[..., None], settings: Settings) -> str:
    alerts = settings.topics().alerts
    create_topics([alerts, settings.topics().dlq(alerts)])
    return alerts


@pytest.fixture
def receiver() -> Iterator[BadReceiver]:
    with BadReceiver() as made:
        yield made


def message(topic: str, number: int, owner: str = "", band: Any = "high") -> Outgoing:
    customer, at = f"c{number % CUSTOMERS}", f"1998-01-01T{number // 60:02}:{number % 60:02}:00Z"
    alert = Alert(
        schema_version=1,
        alert_id=f"a{number:04}",
        episode_id="e",
        customer_id=customer,
        kind="opened",
        raised_at=at,
        risk=0.9,
        threshold=0.6,
        band=band,
        segment="loyal",
        value_at_risk=ValueAtRisk(10.0, "EUR"),
        reasons=[],
        actions=[],
        holdout=False,
        model=ModelStamp("1", 10),
        trigger=Trigger("silence"),
    )
    return Outgoing(topic, customer.encode(), encode(alert), [("churnwatch.owner", owner.encode())] if owner else [])


class Process:
    """A running `deliver`."""

    def __init__(self, receiver: BadReceiver, log: Path, **settings: str) -> None:
        self.port = free_port()
        own = {"URL": receiver.url, "SECRET": SECRET, "PORT": str(self.port)} | QUICK | settings
        environ = os.environ | {f"CHURNWATCH_WEBHOOK_{name}": value for name, value in own.items()}
        self._log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(DELIVER, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    @property
    def said(self) -> str:
        return self._log.read_text()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            assert self._process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)

    def end(self, signum: signal.Signals) -> int:
        self._process.send_signal(signum)
        return self._process.wait(SECONDS_MAX)

    def get(self, path: str) -> str:
        """What its web port says; nothing while it does not listen yet."""
        try:
            with contextlib.closing(urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5)) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    def count(self, sample: str) -> float:
        start = f"churnwatch_webhook_{sample} "
        return next(
            (float(line.split()[-1]) for line in self.get("/metrics").splitlines() if line.startswith(start)), -1.0
        )


@contextlib.contextmanager
def delivering(receiver: BadReceiver, log: Path, **settings: str) -> Iterator[Process]:
    process = Process(receiver, log, **settings)
    try:
        yield process
    finally:
        process._process.kill()
        process._process.wait()


def in_order(receiver: BadReceiver) -> bool:
    """Whether every customer's alerts have arrived in the order in which they were raised."""
    by_customer: dict[str, list[str]] = {}
    for arrived in receiver.accepted:
        by_customer.setdefault(json.loads(arrived.body)["customer_id"], []).append(arrived.alert_id)
    return all(ids == sorted(ids) for ids in by_customer.values())


def test_an_outage_delays_alerts_and_loses_none(
    settings: Settings, topic: str, receiver: BadReceiver, tmp_path: Path
) -> None:
    messages = [message(topic, number) for number in range(120)]
    receiver.away()
    produce(settings, messages[:60])
    with delivering(receiver, tmp_path / "log") as process:
        process.wait_for(lambda: "does not take alerts" in process.said)
        assert process.count("receiver_up") == 0.0
        for mode in ("500", "cut", "404", "hang"):
            receiver.mode = mode
            receiver.come_back()
            process.wait_for(lambda mode=mode: receiver.modes_met[mode] > 2)  # type: ignore[misc]
            receiver.away()
        receiver.mode = "up"
        receiver.come_back()
        produce(settings, [*messages[60:], messages[70]])  # a worker that died has sent one again
        process.wait_for(lambda: process.count('alerts_total{outcome="repeated"}') == 1)
        process.wait_for(lambda: len(set(receiver.ids())) == 120)  # that none came twice is asked at the end
        assert process.count("receiver_up") == 1.0
        assert json.loads(process.get("/healthz"))["ok"] is True
        assert process.end(signal.SIGTERM) == 0
    with delivering(receiver, tmp_path / "again") as process:
        produce(settings, [message(topic, 120)])
        process.wait_for(lambda: "a0120" in receiver.ids())
        assert process.end(signal.SIGTERM) == 0
    assert sorted(receiver.ids()) == [f"a{number:04}" for number in range(121)]
    assert in_order(receiver)
    said = (tmp_path / "log").read_text()
    assert said.count("does not take alerts") == 1
    assert said.count("takes alerts again") == 1
    assert SECRET not in said
    assert "/alerts" not in said, "the path may hold a secret"
    for arrived in receiver.accepted:
        key, stamp = secret_key(SECRET), int(arrived.headers["webhook-timestamp"])
        assert arrived.headers["webhook-signature"] == signature(key, arrived.alert_id, stamp, arrived.body)
    values = {bytes(sent.value or b"") for sent in [*messages, message(topic, 120)]}
    assert {arrived.body for arrived in receiver.accepted} == values, "byte for byte"


def test_a_kill_loses_nothing_and_repeats_only_what_was_in_flight(
    settings: Settings, topic: str, receiver: BadReceiver, tmp_path: Path
) -> None:
    produce(settings, [message(topic, number) for number in range(200)])
    receiver.mode, receiver.slow_seconds = "slow", 0.01
    with delivering(receiver, tmp_path / "log") as process:
        process.wait_for(lambda: len(receiver.accepted) > 50)
        process.end(signal.SIGKILL)
    with delivering(receiver, tmp_path / "log") as process:
        process.wait_for(lambda: len(set(receiver.ids())) == 200)
        assert process.end(signal.SIGTERM) == 0
    # In flight is one a partition, and what was settled since the last commit.
    assert len(receiver.ids()) - 200 <= 4 * 5


def test_partitions_change_hands_without_a_repetition(
    settings: Settings, topic: str, receiver: BadReceiver, tmp_path: Path
) -> None:
    produce(settings, [message(topic, number) for number in range(400)])
    receiver.mode, receiver.slow_seconds = "slow", 0.01
    with delivering(receiver, tmp_path / "one", TIMEOUT="5s") as one:
        one.wait_for(lambda: len(receiver.accepted) > 20)
        with delivering(receiver, tmp_path / "two", TIMEOUT="5s") as two:
            two.wait_for(lambda: two.count("partitions") > 0)
            assert two.end(signal.SIGTERM) == 0
        one.wait_for(lambda: len(set(receiver.ids())) == 400)
        assert one.end(signal.SIGTERM) == 0
    assert len(receiver.ids()) == 400
    assert in_order(receiver)


def test_what_nobody_will_take_goes_to_the_dead_letters_and_holds_nobody_up(
    settings: Settings, topic: str, receiver: BadReceiver, tmp_path: Path
) -> None:
    receiver.refuse = frozenset({"a0001"})
    odd = Outgoing(topic, b"c1", b'{"alert_id": "x"}')
    forged = message(topic, 2)
    forged = Outgoing(topic, b"c1", (forged.value or b"").replace(b"a0002", b"a\\r\\nx: 1"))
    wanted = [message(topic, number, "north") for number in range(6)]
    others = [message(topic, 6), message(topic, 7, "south"), message(topic, 8, "north", band="watch")]
    produce(settings, [odd, forged, *wanted, *others])
    with delivering(receiver, tmp_path / "log", OWNERS="north, east", BANDS="high,critical") as process:
        process.wait_for(lambda: process.count('alerts_total{outcome="dead_lettered"}') == 3)
        process.wait_for(lambda: process.count('alerts_total{outcome="filtered"}') == 3)
        process.wait_for(lambda: len(receiver.accepted) == 5)
        assert process.end(signal.SIGINT) == 0
    assert sorted(receiver.ids()) == ["a0000", "a0002", "a0003", "a0004", "a0005"]
    assert {arrived.headers["churnwatch-owner"] for arrived in receiver.accepted} == {"north"}
    letters = {record.value: dict(record.headers) for record in read(settings, settings.topics().dlq(topic))}
    assert letters[odd.value]["churnwatch.reason"] == letters[forged.value]["churnwatch.reason"] == b"malformed"
    refused = letters[wanted[1].value]
    assert (refused["churnwatch.reason"], refused["__connect.errors.stage"]) == (b"refused", b"deliver")
    assert refused["__connect.errors.topic"] == topic.encode()
    assert refused["__connect.errors.exception.message"].startswith(b"422")
    assert refused["churnwatch.owner"] == b"north"
