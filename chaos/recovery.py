"""`python -m chaos --recovery`: a worker is killed under full load and started again; how long until it has caught up?

1. A backlog is worked off: that is what the worker can do on this machine.
2. Events come live, at `LOAD` of that rate, from a producer that never waits for the worker; the lag is looked at for a while.
3. The worker is killed. Another one is started so many seconds later. Caught up is when the lag is no more than it was.

Promised is: caught up within twice the downtime plus 15 s, from the kill on.
"""

import json
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

from confluent_kafka import Producer

from chaos.arena import Arena, now_ms
from chaos.installation import Installation
from chaos.logs import QUICK, ChaosLog, Sent
from streams.time import iso

CUSTOMERS: Final = 20_000
"""Of a quarter as many each would have hundreds of events within minutes, as no shop's have, and cost the more the longer it goes on."""

BACKLOG_EVENTS: Final = 90_000
"""Some seconds of work: by one second of it a worker seems to be able to do more than it can keep up."""

LOAD: Final = 0.5
"""Share of what the worker can do: more than two thirds, and no worker could catch up within the downtime."""
DOWN_SECONDS: Final = (2.0, 5.0, 15.0)
STEADY_SECONDS: Final = 8.0
CAUGHT_UP_SECONDS_MAX: Final = 180.0
LOOK_SECONDS: Final = 0.1
TICK_SECONDS: Final = 0.02
LAG_SECONDS: Final = 1.0
"""Lag that counts as none: what comes within a second or so lies between two steps."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """A kill: what the load was, how long the worker was down, and how long after the kill it had caught up."""

    capacity: float
    rate: float
    down_seconds: float
    caught_up_seconds: float
    lag_before: int
    lag_max: int

    @property
    def allowed_seconds(self) -> float:
        """What is promised."""
        return 2 * self.down_seconds + 15

    @property
    def kept(self) -> bool:
        """Whether the promise was."""
        return self.caught_up_seconds <= self.allowed_seconds


class Feed:
    """A producer at a steady rate, on a thread of its own; `sent` is what Kafka has acknowledged."""

    def __init__(self, lab: Installation, events: Iterator[Sent], rate: float) -> None:
        self.sent = 0
        self._topics = lab.settings.topics().inputs
        self._producer = Producer(
            {
                "bootstrap.servers": lab.settings.kafka_bootstrap,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "log_level": 0,
            }
        )
        self._events = events
        self._rate = rate
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Send no more."""
        self._ending.set()
        self._thread.join()
        self._producer.flush(10)

    def _run(self) -> None:
        began, handed = time.monotonic(), 0
        while not self._ending.wait(TICK_SECONDS):
            due = int((time.monotonic() - began) * self._rate)
            for _ in range(due - handed):
                event = next(self._events)
                self._producer.produce(
                    self._topics[event.stream], event.value, event.key, on_delivery=self._acknowledged
                )
            handed = due
            self._producer.poll(0)

    def _acknowledged(self, failure: object, _message: object) -> None:
        self.sent += failure is None


def run(arena: Arena, folder: Path) -> Iterator[Recovery]:
    """Run it for each downtime."""
    events = _events()
    backlog = ChaosLog("load", QUICK, [next(events) for _ in range(BACKLOG_EVENTS)], 0, ordered=True)
    with arena.installation(backlog, folder, kafka_session_ms="6s") as lab:
        lab.detour.clear()
        worker = lab.start()
        capacity = _capacity(lab)
        rate = LOAD * capacity
        feed = Feed(lab, events, rate)
        try:
            for down_seconds in DOWN_SECONDS:
                before = _steady(lab, feed)
                worker.kill()
                killed_s = time.monotonic()
                time.sleep(down_seconds)
                worker = lab.start()
                caught_up_s, lag_max = _caught_up(lab, feed, max(before, round(rate * LAG_SECONDS)))
                yield Recovery(capacity, rate, down_seconds, caught_up_s - killed_s, before, lag_max)
                if caught_up_s == math.inf:
                    return
        finally:
            feed.end()


def _lag(lab: Installation, feed: Feed) -> int:
    return BACKLOG_EVENTS + feed.sent - lab.taken()


def _capacity(lab: Installation) -> float:
    """Events a second, between a fifth and nine tenths of the backlog."""
    marks = [BACKLOG_EVENTS // 5, BACKLOG_EVENTS * 9 // 10]
    reached: list[tuple[float, int]] = []
    for mark in marks:
        lab.wait_for(lambda mark=mark: lab.taken() >= mark)  # type: ignore[misc]
        reached.append((time.monotonic(), lab.taken()))
    lab.wait_for(lambda: lab.taken() >= BACKLOG_EVENTS)
    (first_s, first), (last_s, last) = reached
    return (last - first) / (last_s - first_s)


def _steady(lab: Installation, feed: Feed) -> int:
    """Let it run for a while, and give the largest lag of the second half."""
    lags = []
    began = time.monotonic()
    while (passed := time.monotonic() - began) < STEADY_SECONDS:
        if passed > STEADY_SECONDS / 2:
            lags.append(_lag(lab, feed))
        time.sleep(LOOK_SECONDS)
    return max(lags)


def _caught_up(lab: Installation, feed: Feed, lag: int) -> tuple[float, int]:
    """Wait until the lag is down to what it was; give when that was (never: infinity), and the largest lag on the way."""
    largest, deadline = 0, time.monotonic() + CAUGHT_UP_SECONDS_MAX
    while (now := _lag(lab, feed)) > lag:
        largest = max(largest, now)
        if time.monotonic() > deadline:
            return math.inf, largest
        time.sleep(LOOK_SECONDS)
    return time.monotonic(), largest


def _events() -> Iterator[Sent]:
    random = Random(1)
    for number in count():
        customer = f"customer-{random.randrange(CUSTOMERS):05d}"
        stream = "orders" if number % 4 == 0 else "logins"
        own = {"order_id": f"o{number}", "amount": 20.0, "currency": "EUR", "items": 1}
        told = own if stream == "orders" else {"channel": "web", "session_seconds": 60}
        event = {"event_id": f"e{number}", "customer_id": customer, "occurred_at": iso(now_ms())} | told
        yield Sent(stream, customer.encode(), json.dumps(event).encode(), None)
