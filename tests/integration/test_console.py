"""`churnwatch console` in a process of its own, on Kafka and Redis: what comes in is shown, what is done goes out and comes back."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from alerts.alert import encode
from chaos.topics import produce, read
from chaos.workers import mortal
from churnwatch.child import free_port
from churnwatch.settings import Settings
from streams.codec import RawRecord, Rejected
from streams.deadletter import dead_letter
from streams.outgoing import Outgoing
from tests.integration.cli_runner import create_all, pointed, store_customer
from tests.unit.console.shop import alert

TOKEN = "t" * 20
CONSOLE = mortal(sys.executable, "-c", "from churnwatch.cli import main; main()", "console")
SECONDS_MAX = 30.0


@pytest.fixture(autouse=True)
def settings(
    kafka_bootstrap: str, redis_url: str, topic_prefix: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    yield from pointed(monkeypatch, kafka_bootstrap, redis_url, topic_prefix, namespace)


@pytest.fixture
def told(create_topics: Callable[..., None], settings: Settings) -> str:
    create_all(create_topics, settings)
    topic = settings.topics().alerts
    messages = [
        Outgoing(topic, f"c{n}".encode(), encode(alert(f"c{n}", amount=float(n))), [("churnwatch.owner", b"ann")])
        for n in range(60)
    ]
    produce(settings, [*messages, messages[5], Outgoing(topic, b"x", b"no alert")])
    return topic


class Console:
    """A running console, and somebody who is signed in."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self.address = f"http://127.0.0.1:{(port := free_port())}"
        own = {
            "CONSOLE_PORT": str(port),
            "CONSOLE_TOKEN": TOKEN,
            "CLOCK": "replay",
            "CONSOLE_WORKERS": "http://127.0.0.1:1",
        }
        environ = os.environ | {f"CHURNWATCH_{name}": value for name, value in own.items()}
        with log.open("wb") as out:
            self.process = subprocess.Popen(CONSOLE, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.browser = httpx2.Client(base_url=self.address, timeout=10.0)

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            assert self.process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    def sign_in(self) -> None:
        def opened() -> bool:
            try:
                return self.browser.post("/sign-in", data={"token": TOKEN}).status_code == 303
            except httpx2.TransportError:
                return False

        self.until(opened)

    def act(self, episode: str, status: str) -> int:
        found = re.search(r'name="csrf" content="([^"]+)"', self.browser.get("/").text)
        assert found is not None
        data = {"status": status}
        answer = self.browser.post(f"/alerts/{episode}/outcomes", data=data, headers={"x-csrf-token": found[1]})
        return answer.status_code


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path / "console.log")
    try:
        made.sign_in()
        yield made
    finally:
        made.browser.close()
        made.process.kill()
        made.process.wait()


def test_what_is_told_is_shown_and_what_is_done_comes_back(settings: Settings, told: str, console: Console) -> None:
    console.until(lambda: "60 alerts" in console.browser.get("/alerts").text)
    assert console.act("c5", "contacted") == 200
    console.until(lambda: '"state">contacted' in console.browser.get("/alerts/c5").text)
    (record,) = read(settings, settings.topics().inputs["outcomes"])
    event = json.loads(record.value)
    assert (record.key, event["alert_id"], event["status"], event["action"]) == (b"c5", "c5-1", "contacted", "offer")
    assert event["occurred_at"].endswith("Z")
    # What comes while the page is open is told of without asking.
    with console.browser.stream("GET", "/changes") as stream:
        lines = stream.iter_lines()
        produce(settings, [Outgoing(told, b"new", encode(alert("new", amount=1e6)))])
        assert next(line for line in lines if line.startswith("data:")) == 'data: ["new"]'
    assert console.browser.get("/alerts").text.index("/customer?id=new") < console.browser.get("/alerts").text.index(
        "c59"
    )


@pytest.mark.usefixtures("told")
def test_a_customer_is_read_from_the_workers_state(settings: Settings, console: Console) -> None:
    partition = store_customer(settings, "c7", [])
    text = console.browser.get("/customer", params={"id": "c7"}).text
    assert "Days with an order" in text
    assert "Jul" in text
    assert console.browser.get("/customer/series", params={"id": "c7"}).json()["amount"].count(5.0) == 1
    assert console.browser.get("/customer", params={"id": "nobody at all"}).status_code == 404
    assert partition >= 0


@pytest.mark.usefixtures("told")
def test_dead_letters_are_shown_the_newest_first(settings: Settings, console: Console) -> None:
    topics = settings.topics()
    orders = topics.inputs["orders"]
    for number in range(2):
        bad = RawRecord(orders, 0, number, 0, b"c1", b"<b>%d</b>" % number)
        produce(settings, [dead_letter(Rejected(bad, "malformed", "ValueError", "not JSON", "decode"), number)])
    text = console.browser.get("/operations").text
    assert text.index("&lt;b&gt;1&lt;/b&gt;") < text.index("&lt;b&gt;0&lt;/b&gt;")
    assert "does not answer" in text


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told_to_even_with_somebody_listening(console: Console, signum: signal.Signals) -> None:
    with console.browser.stream("GET", "/changes"):
        console.process.send_signal(signum)
        assert console.process.wait(SECONDS_MAX) == 0


def test_a_second_one_on_the_same_port_says_so(told: str, console: Console, tmp_path: Path) -> None:
    assert told
    environ = os.environ | {
        "CHURNWATCH_CONSOLE_PORT": console.address.rpartition(":")[2],
        "CHURNWATCH_CONSOLE_TOKEN": TOKEN,
    }
    done = subprocess.run(CONSOLE, env=environ, capture_output=True, timeout=SECONDS_MAX, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert b"CHURNWATCH_CONSOLE_PORT" in done.stderr


def test_without_kafka_it_says_where_it_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNWATCH_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("CHURNWATCH_CONSOLE_PORT", str(free_port()))
    done = subprocess.run(CONSOLE, env=dict(os.environ), capture_output=True, timeout=SECONDS_MAX, check=False)
    assert done.returncode == 1
    assert b"CHURNWATCH_KAFKA_BOOTSTRAP" in done.stderr
