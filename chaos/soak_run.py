"""One soak from beginning to end: topics, worker, load, looks. Gives what was seen; what it means is for `soak_verdict`."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from bench.children import ROOT, environment
from chaos import soak_plan, soak_shop
from chaos.soak_course import Course, Say
from chaos.soak_feed import Feeder, Listener
from chaos.soak_probe import Probe
from chaos.soak_record import Books, Options, Soak
from churnwatch.child import free_port
from churnwatch.kafka import open_admin
from churnwatch.scrape import Scrape
from churnwatch.services import Services
from churnwatch.settings import Settings
from churnwatch.topic_layout import create
from streams.errors import TransportError

STOP_SECONDS_MAX: Final = 60.0
TEXT_MAX: Final = 100

OUTCOMES: Final = ("applied", "duplicate", "late", "dead_lettered")


def soak(services: Services, options: Options, scratch: Path, say: Say) -> Soak:
    """Run it; raises TransportError where it cannot go on to the end."""
    settings = soak_plan.settings(services, free_port())
    found = Soak(services.description, options.rate, soak_plan.plan(options.minutes))
    if services.real_kafka:
        asyncio.run(_topics(settings))
    log = scratch / "worker.log"
    with ExitStack() as stack:
        probe = Probe(settings, real_redis=services.real_redis)
        stack.callback(probe.close)
        active = soak_shop.active_customers(options.rate, options.days_per_second)
        feeder = Feeder(settings, soak_shop.events(options.seed, active), probe.taken)
        stack.callback(feeder.stop)
        process = stack.enter_context(worker(settings, log, options.trace))
        probe.pid = process.pid
        listener = Listener(settings)
        stack.callback(listener.stop)
        course = Course(found, process, probe, feeder, say)
        try:
            course.begin()
            listener.start()
            course.run(services.real_kafka)
            feeder.stop()
            course.settle(listener)
            found.books = _books(feeder, listener, probe.scrape())
            process.terminate()
            found.exit_code = process.wait(STOP_SECONDS_MAX)
        except TransportError as error:
            said = log.read_text(errors="replace")[-3000:]
            raise TransportError(f"{error}\n--- the worker's last words\n{said}") from error
        finally:
            said = log.read_text(errors="replace")
            found.errors, found.warnings = lines_of(said, "ERROR|CRITICAL|Traceback"), lines_of(said, "WARNING")
    return found


@contextmanager
def worker(settings: Settings, log: Path, trace: Path | None) -> Iterator[subprocess.Popen[bytes]]:
    """Run the worker in a session of its own (a Ctrl-C is for us), its log in a file; it is killed if it still runs at the end."""
    command = [sys.executable, "-m", "chaos.soak_worker", *([str(trace)] if trace else [])]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            env=environment(settings),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


async def _topics(settings: Settings) -> None:
    await create(settings)
    topics = settings.topics()
    names = [*(topics.inputs[stream] for stream in soak_shop.STREAMS), topics.alerts, topics.examples]
    async with open_admin(settings) as admin:
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name, dict(soak_plan.RETENTION)) for name in names]
        )


def lines_of(log: str, levels: str) -> dict[str, int]:
    r"""Count the lines of a worker's log of these levels (alternatives of a pattern), by what they say without its numbers.

    >>> lines_of("2026-01-01 WARNING x: Drift of 3\n2026-01-02 WARNING x: Drift of 4\n", "WARNING")
    {'WARNING x: Drift of #': 2}
    """
    found: Counter[str] = Counter()
    for line in log.splitlines():
        if match := re.search(rf"\b({levels})\b.*", line):
            found[re.sub(r"-?\d+(\.\d+)?", "#", match[0])[:TEXT_MAX]] += 1
    return dict(found)


def _books(feeder: Feeder, listener: Listener, scrape: Scrape) -> Books:
    return Books(
        sent=feeder.sent,
        acknowledged=feeder.acknowledged,
        expected={outcome: feeder.outcomes[outcome] for outcome in OUTCOMES},
        counted={outcome: int(scrape.sum("churnwatch_events_total", outcome=outcome)) for outcome in OUTCOMES},
        read=int(scrape.sum("churnwatch_events_total", outcome="read")),
        alerts_counted=int(scrape.sum("churnwatch_alerts_total")),
        alerts_heard=listener.alerts,
        alerts_repeated=listener.repeated,
        episodes_counted=int(scrape.sum("churnwatch_open_episodes")),
        episodes_heard=listener.open,
        doubly_open=listener.doubly_open,
        kinds=dict(listener.kinds),
        examples={label: int(scrape.sum("churnwatch_examples_total", label=label)) for label in ("churned", "stayed")},
    )
