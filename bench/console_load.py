"""A console with much to show: customers in Redis, their scores and alerts in Kafka, a worker that keeps taking in events, a producer of them."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, get_args

import httpx2

from alerts.alert import Action, Alert, ModelStamp, Reason, Trigger, ValueAtRisk, encode
from alerts.bands import Band
from alerts.episode import alert_id, episode_id
from alerts.score import build
from alerts.score import encode as encode_score
from bench.children import ROOT, environment, worker
from bench.growth_events import Plan, as_json, producer
from bench.growth_fill import Group, customer_id, fill, templates
from bench.measures import WrongAnswer
from churnwatch.child import free_port
from churnwatch.services import Services
from churnwatch.settings import Settings
from streams.errors import TransportError
from streams.time import DAY_MS, iso

TOKEN: Final = "bench-" + "t" * 20
PER_SECOND: Final = 200.0
"""Events a second that the worker takes in meanwhile: a shop of 200,000 customers at a busy hour has about 50."""

ALERTS_PER_SECOND: Final = 2.0
SEGMENTS: Final = ("new", "standard", "loyal", "high_value")
READY_SECONDS_MAX: Final = 300.0
FLUSH_SECONDS_MAX: Final = 60.0
STAMP: Final = ModelStamp("1", 4_000)
WHY: Final = Reason("price", 0.6, "Discounts of 40 % in 90 days", {"discount_share_90d": 0.4})
OFFER: Final = Action("personal_offer", "Make a personal offer", "Price weighs in: Discounts of 40 % in 90 days.")


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to show, and for how many seconds requests are timed."""

    customers: int = 200_000
    alerts: int = 10_000
    seconds: float = 60.0


def fill_all(settings: Settings, scratch: Path, size: Size) -> None:
    """Put customers into Redis, and their scores and alerts into Kafka."""
    now_ms = time.time_ns() // 1_000_000
    leavers = int(ALERTS_PER_SECOND * _stream_seconds(size))
    fill(settings, templates(settings, scratch, now_ms), [Group("c", size.customers), Group("l", leavers)])
    client, topics, random = producer(settings), settings.topics(), Random(5)
    for number in range(size.customers):
        customer = customer_id("c", number)
        band: Band = random.choices(get_args(Band), (80, 12, 6, 2))[0]
        score = build(
            customer_id=customer, at_ms=now_ms, risk=0.5, band=band, previous_band=None, segment=random.choice(SEGMENTS), model=STAMP
        )  # fmt: skip
        client.produce(topics.scores, encode_score(score), customer)
        client.poll(0)
    for number in range(size.alerts):
        alert = _alert(customer_id("c", number), random, now_ms - random.randrange(20 * DAY_MS))
        client.produce(
            topics.alerts, encode(alert), alert.customer_id, headers={"churnwatch.owner": f"owner {number % 40}"}
        )
        client.poll(0)
    if left := client.flush(FLUSH_SECONDS_MAX):
        raise TransportError(f"Kafka has not acknowledged {left} scores and alerts")


def _alert(customer: str, random: Random, at_ms: int) -> Alert:
    return Alert(
        schema_version=1,
        alert_id=alert_id(customer, 0, 1, 1),
        episode_id=episode_id(customer, 0, 1),
        customer_id=customer,
        kind="opened",
        raised_at=iso(at_ms),
        risk=round(0.6 + 0.4 * random.random(), 4),
        threshold=0.6,
        band=random.choice(("watch", "high", "critical")),
        segment=random.choice(SEGMENTS),
        value_at_risk=ValueAtRisk(round(random.expovariate(1 / 150), 2), "EUR"),
        reasons=[WHY],
        actions=[OFFER],
        holdout=False,
        model=STAMP,
        trigger=Trigger("silence"),
    )


def _stream_seconds(size: Size) -> float:
    """For how long events are sent at most: beside both measurements and a slow machine's beginnings."""
    return 2 * size.seconds + READY_SECONDS_MAX


@contextmanager
def streaming(settings: Settings, scratch: Path, size: Size) -> Iterator[None]:
    """Keep a worker busy with a stream of events, and now and then a new alert, for as long as the block lasts."""
    seconds = _stream_seconds(size)
    plan = Plan("k-", size.customers, PER_SECOND, seconds, leavers=int(ALERTS_PER_SECOND * seconds))
    with worker(settings, scratch / "worker.log") as process:
        command = [sys.executable, "-m", "bench.pace"]
        sender = subprocess.Popen(
            command, cwd=ROOT, env=environment(settings), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        try:
            assert sender.stdin is not None
            sender.stdin.write(as_json(plan))
            sender.stdin.close()
            yield
            ended = {"worker": process.poll(), "producer": sender.poll()}
            if gone := {name: code for name, code in ended.items() if code is not None}:
                raise WrongAnswer(f"what was to keep the stream running has ended meanwhile: {gone}")
        finally:
            sender.kill()
            sender.wait()


@dataclass(frozen=True, slots=True)
class Served:
    """A running console, somebody who is signed in, and the word that proves that a request is theirs."""

    address: str
    client: httpx2.Client
    csrf: str


@contextmanager
def served(settings: Settings, scratch: Path, size: Size) -> Iterator[Served]:
    """Serve the console; the block begins when it has read every alert and every score."""
    log = scratch / "console.log"
    # Settings do not show their tokens.
    environ = environment(settings) | {"CHURNWATCH_CONSOLE_TOKEN": TOKEN}
    command = [sys.executable, "-m", "churnwatch.cli", "console"]
    with ExitStack() as opened:
        out = opened.enter_context(log.open("wb"))
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        opened.callback(process.wait)
        opened.callback(process.kill)
        address = f"http://127.0.0.1:{settings.console_port}"
        client = opened.enter_context(httpx2.Client(base_url=address, timeout=30.0))

        def until(condition: Callable[[], bool]) -> None:
            deadline = time.monotonic() + READY_SECONDS_MAX
            while not _answers(condition):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise WrongAnswer(f"the console is not ready; its log ends: {log.read_text()[-1_000:]}")
                time.sleep(0.2)

        until(lambda: client.get("/sign-in").status_code == 200)
        client.post("/sign-in", data={"token": TOKEN})
        until(lambda: _open_alerts(client) >= size.alerts and "Up to date" in client.get("/freshness").text)
        found = re.search(r'name="csrf" content="([^"]+)"', client.get("/").text)
        assert found is not None
        yield Served(address, client, found[1])


def _answers(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except httpx2.TransportError:
        return False


def _open_alerts(client: httpx2.Client) -> int:
    found = re.search(r"([\d,]+) alerts", client.get("/alerts").text)
    return int(found[1].replace(",", "")) if found else 0


def stage(services: Services, model: Path) -> Settings:
    """Give the settings of worker and console: topics and keys of their own, a frozen model."""
    web_port, console_port = free_port(), free_port()
    while console_port == web_port:
        console_port = free_port()
    return Settings(
        kafka_bootstrap=services.bootstrap,
        redis_url=services.redis_url,
        redis_namespace="console",
        kafka_group_id="console",
        topic_prefix="console.",
        topic_partitions=4,
        learning_enabled=False,
        model_file=model,
        log_level="warning",
        web_port=web_port,
        console_port=console_port,
        console_workers=f"http://127.0.0.1:{web_port}",
    )
