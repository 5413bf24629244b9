"""`make study NAME=webhook`: a receiver that is down for an hour, and worse; is the stream undisturbed, does every alert arrive once?

Four times the same part of the example log is replayed by a real worker on a real Kafka and Redis, in this order:

1. without a sink;
2. with `churnwatch deliver` and a receiver that fails in every way for an hour, then comes back;
3. the same, and `deliver` is killed with -9 in the middle of what it catches up on, and started again;
4. without a sink.

The hour passes in a minute: back-off, its limit and the time to give up are divided by `SCALE`, the time-out by three. The stream's
speed is not scaled, so it is disturbed sixty times as much as it would be.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from typing import Final

from chaos.installation import Installation, installation
from chaos.logs import ChaosLog, example_log
from chaos.topics import read
from chaos.workers import mortal
from churnwatch.child import free_port
from churnwatch.deliver_lane import WAITING_MAX
from churnwatch.services import Services, start_services
from churnwatch.settings_load import span
from churnwatch.terminal import note, say_json
from studies.webhook_receiver import BadReceiver
from studies.webhook_verdict import Delivered, Stream, delivered_of, figures

SCALE: Final = 60
OUTAGE_SECONDS: Final = 3600 / SCALE
SPANS_MS: Final = {"BACKOFF": 1_000, "BACKOFF_MAX": 300_000, "GIVE_UP": 86_400_000}
"""The sink's own defaults, not yet scaled."""

TIMEOUT_MS: Final = 5_000
"""Scaled by three only: a busy machine that takes its time to answer has taken the alert, and would be given it again."""

CUSTOMERS: Final = 1_500
FAULTS: Final = ("away", "500", "hang", "cut", "404", "429")
TAKEN_BEFORE: Final = 5
"""Alerts that arrive before the outage begins."""

SLOW_SECONDS: Final = 0.004
WAIT_SECONDS_MAX: Final = 240.0
LOOK_SECONDS: Final = 0.02
CPU: Final = "churnwatch_process_cpu_seconds_total"
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the one in Standard Webhooks' own tests
DELIVER: Final = mortal(sys.executable, "-c", "from churnwatch.cli import main; main()", "deliver")

Published = list[tuple[int, int, bytes]]
"""The records of the alerts' topic: partition, offset, value."""


@dataclass(frozen=True, slots=True)
class Run:
    """One replay: how fast it went, the alerts by id (customers take turns as chunks fall), and how they were delivered."""

    stream: Stream
    said: dict[str, bytes]
    delivered: Delivered | None


class Sink:
    """`churnwatch deliver` in a process of its own, with scaled spans, started and killed as often as one likes."""

    def __init__(self, made: Installation, receiver: BadReceiver, log: Path) -> None:
        own = {name: span(max(1, ms // SCALE)) for name, ms in SPANS_MS.items()}
        own |= {
            "TIMEOUT": span(TIMEOUT_MS),
            "URL": receiver.url,
            "SECRET": SECRET,
            "START": "beginning",
            "PORT": str(free_port()),
        }
        self._environ = made.environ(**{f"WEBHOOK_{name}": value for name, value in own.items()}, KAFKA_SESSION="6s")
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def said(self) -> str:
        """Its log."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Start it; it goes on where it was left."""
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - a list of our own
                DELIVER, env=self._environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    def kill(self) -> None:
        """As the kernel does when memory is short."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """Tell it to stop, and give its exit code."""
        if self._process is None:
            raise AssertionError("it was not started")
        self._process.terminate()
        return self._process.wait(WAIT_SECONDS_MAX)


class Outage:
    """An hour (scaled) in which the receiver fails in one way after the other; begins with the first alerts that it has taken."""

    def __init__(self, receiver: BadReceiver) -> None:
        self._receiver = receiver
        self._over = threading.Event()
        self.back_ms = 0
        self._thread = threading.Thread(target=self._fail, daemon=True)
        self._thread.start()

    def _fail(self) -> None:
        while len(self._receiver.ids()) < TAKEN_BEFORE:
            if self._over.wait(LOOK_SECONDS):
                return
        self._receiver.retry_after = "1"
        ends = time.monotonic() + OUTAGE_SECONDS
        for fault in cycle(FAULTS):
            if fault == "away":
                self._receiver.away()
            else:
                self._receiver.mode = fault
                self._receiver.come_back()
            time.sleep(OUTAGE_SECONDS / len(FAULTS))
            if time.monotonic() >= ends and self._over.is_set():
                break

    def end(self) -> None:
        """Let it come to its end, but not before its hour is over; then the receiver is back, a little slow."""
        self._over.set()
        self._thread.join(WAIT_SECONDS_MAX)
        receiver = self._receiver
        before = len(receiver.ids())
        receiver.slow_seconds, receiver.mode = SLOW_SECONDS, "slow"
        receiver.come_back()
        began = time.monotonic()
        while len(receiver.ids()) == before and time.monotonic() - began < WAIT_SECONDS_MAX:
            time.sleep(LOOK_SECONDS)
        self.back_ms = round(1000 * (time.monotonic() - began))


def main(arguments: list[str]) -> int:
    """Run the study; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make study NAME=webhook", description=__doc__)
    parser.add_argument(
        "--customers", type=int, default=CUSTOMERS, help="of the example log, in each replay (%(default)s)"
    )
    customers = parser.parse_args(arguments).customers
    log = example_log(customers)
    with start_services("auto", prefer_real_kafka=True, say=note) as services:
        if not services.real_kafka:
            note(f"webhook: this study needs Apache Kafka, for two consumer groups and a kill: {services.why_embedded}")
            return 1
        note(f"webhook: {len(log.records)} events of {customers} customers; {services.description}")
        runs = [_run(services, log, number, kind) for number, kind in enumerate(("plain", "outage", "kill", "plain"))]
    found = figures(
        [run.stream for run in runs if run.delivered is None],
        [run.stream for run in runs if run.delivered is not None],
        [run.delivered for run in runs if run.delivered is not None],
        same_alerts=all(run.said == runs[0].said for run in runs),
    )
    if not found.quiet:
        note("webhook: the machine is busy with other things: the stream's speed is told, and not judged")
    for line in found.shortcomings:
        note(f"webhook: {line}")
    say_json({"study": "webhook", "scale": SCALE, "outage_seconds": OUTAGE_SECONDS} | asdict(found))
    return 1 if found.shortcomings else 0


def _run(services: Services, log: ChaosLog, number: int, kind: str) -> Run:
    """Replay once; `kind` is plain, outage or kill."""
    prefix = f"w{number}."
    with (
        tempfile.TemporaryDirectory(prefix="churnwatch-") as scratch,
        installation(services, prefix, f"w{number}", Path(scratch), **log.settings) as made,
        BadReceiver() as receiver,
    ):
        log.publish(made.settings)
        if kind == "plain":
            stream = _replay(made, log)
            published, delivered = _published(made), None
        else:
            sink = Sink(made, receiver, Path(scratch) / "deliver.log")
            try:
                stream, published, delivered = _with_sink(made, log, receiver, sink, kill=kind == "kill")
            finally:
                sink.kill()
    note(f"webhook: {kind}: {stream.speed:,.0f} events/s on {stream.core_share:.0%} of a core, {len(published)} alerts")
    # A trigger names its topic, and that one the run.
    said = {json.loads(value)["alert_id"]: value.replace(prefix.encode(), b"") for _, _, value in published}
    return Run(stream, said, delivered)


def _replay(made: Installation, log: ChaosLog) -> Stream:
    """Replay the whole log with one worker."""
    worker = made.start()
    made.wait_for(lambda: made.taken() > 0, WAIT_SECONDS_MAX)
    began, first, cpu = time.monotonic(), made.taken(), worker.total(CPU)
    made.wait_for(lambda: made.taken() >= len(log.records), WAIT_SECONDS_MAX)
    seconds, events = time.monotonic() - began, len(log.records) - first
    cpu = worker.total(CPU) - cpu
    made.wait_for(lambda: made.reached(log.last_ms), WAIT_SECONDS_MAX)
    worker.terminate()
    return Stream(round(events / seconds, 1), round(1000 * cpu / events, 3), round(cpu / seconds, 3))


def _with_sink(
    made: Installation, log: ChaosLog, receiver: BadReceiver, sink: Sink, *, kill: bool
) -> tuple[Stream, Published, Delivered]:
    sink.start()
    outage = Outage(receiver)
    stream = _replay(made, log)
    published = _published(made)
    outage.end()
    ids = {json.loads(value)["alert_id"] for _, _, value in published}
    killed_at = len(ids)
    if kill:
        _wait(lambda: len(receiver.ids()) > len(ids) // 2, "half of the alerts", sink)
        sink.kill()
        killed_at = len(receiver.ids())
        sink.start()
    _wait(lambda: ids <= set(receiver.ids()), "all alerts", sink)
    if sink.stop() != 0:
        raise AssertionError(f"deliver did not end with 0:\n{sink.said[-2000:]}")
    topics = made.settings.topics()
    return (
        stream,
        published,
        delivered_of(
            published,
            receiver.accepted,
            killed_at,
            WAITING_MAX,
            secret=SECRET,
            attempts=receiver.attempts.total(),
            dead=len(read(made.settings, topics.dlq(topics.alerts))),
            back_ms=outage.back_ms,
        ),
    )


def _published(made: Installation) -> Published:
    return [(record.partition, record.offset, record.value) for record in made.alerts()]


def _wait(condition: Callable[[], bool], what: str, sink: Sink) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not arrive within {WAIT_SECONDS_MAX:g} s:\n{sink.said[-2000:]}")
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
