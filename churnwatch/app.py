"""`run_worker`: look at the topics, start a worker, stay until told to stop, and end with an exit code."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from typing import Any, Final

from churnwatch.kafka import Cluster, describe
from churnwatch.settings import Settings
from churnwatch.worker import Worker
from streams.errors import TransportError

log = logging.getLogger("churnwatch.worker")

EMBEDDED_PARTITIONS: Final = 4
RETRY_SECONDS: Final = 2.0
GRACE_SECONDS: Final = 10.0
LET_GO_SECONDS: Final = 2.0


def run_worker(settings: Settings, *, with_parent: bool = False) -> int:
    """Run one worker until SIGTERM or SIGINT (exit code 0) or until it cannot go on (1, with one line that says why).

    `with_parent`: also until standard input closes, which it does however the starter ends.
    """
    _set_up_logging(settings)
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_run(settings, with_parent=with_parent))
    finally:
        loop.run_until_complete(_let_go())


async def _let_go() -> None:
    """Cancel what is left of the Kafka client's and Faust's tasks; `asyncio.run` would wait for ever for one that does not listen."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=LET_GO_SECONDS)
    logging.getLogger("asyncio").setLevel(
        logging.CRITICAL
    )  # it would complain of each, and there is nothing to be done


async def _run(settings: Settings, *, with_parent: bool) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), stop.set)  # nothing is ever written to it: readable means closed
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    cluster = await _cluster(settings, stop)
    if cluster is None:
        return 0
    topics, partitions = input_layout(settings, cluster)
    worker = Worker(settings, topics, partitions)
    try:
        await worker.start()
        ended: asyncio.Future[Any] = asyncio.ensure_future(worker.app.wait_for_stopped(stop.wait()))
        log.info("Worker started: %d input topics of %d partitions, clock %s", len(topics), partitions, settings.clock)
        await asyncio.wait([ended, worker.failure], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _stop(worker, settings)
    if worker.failure.done():
        worker.failure.result()
    if worker.app.crashed:
        raise TransportError(
            f"the connection to Kafka has failed for good: {worker.app.crash_reason!r}; start the worker again"
        )
    if not worker.left:
        log.warning(
            "Worker stopped without taking leave of its consumer group (it was about to be rebalanced, or Kafka took too "
            "long); all is stored, another worker takes over after CHURNWATCH_KAFKA_SESSION at the latest"
        )
    log.info("Worker stopped")
    return 0


async def _stop(worker: Worker, settings: Settings) -> None:
    """Stop the worker within its drain time and a little more; where Kafka or Redis will not let it, leave at once and loudly."""
    seconds = settings.drain_ms / 1000 + GRACE_SECONDS
    stopping = asyncio.create_task(worker.stop())
    done, _ = await asyncio.wait([stopping], timeout=seconds)
    if not done:
        log.error(
            "Not stopped after %g s (is Kafka or Redis away?), waiting in %s; leaving. Nothing stored is lost",
            seconds,
            _waiting_in(stopping),
        )
        logging.shutdown()
        os._exit(1)
    stopping.result()


def _waiting_in(task: asyncio.Task[None]) -> str:
    """Name the calls that a task is in, outermost first: whoever looks into it needs nothing else."""
    names: list[str] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        names.append(getattr(awaited, "__qualname__", type(awaited).__name__))
        awaited = getattr(awaited, "cr_await", None)
    return " > ".join(names)


async def _cluster(settings: Settings, stop: asyncio.Event) -> Cluster | None:
    """What topics there are; waits for Kafka, and gives None where it is told to stop meanwhile."""
    while not stop.is_set():
        try:
            return await describe(settings)
        except TransportError as error:
            log.warning("Waiting for Kafka: %s", error)
        try:
            await asyncio.wait_for(stop.wait(), RETRY_SECONDS)
        except TimeoutError:
            continue
    return None


def input_layout(settings: Settings, cluster: Cluster) -> tuple[list[str], int]:
    """Return the input topics that exist and the number of partitions that all of them have.

    Raises TransportError where a required one is missing, or where they differ.
    """
    topics = settings.topics()
    if cluster.embedded:
        return list(topics.inputs.values()), EMBEDDED_PARTITIONS
    missing = [topic for topic in [*topics.required(), topics.examples] if topic not in cluster.partitions]
    if missing:
        raise TransportError(f"topics are missing: {', '.join(missing)}; create them with `churnwatch topics create`")
    counts = {topic: cluster.partitions[topic] for topic in topics.inputs.values() if topic in cluster.partitions}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{topic}: {count}" for topic, count in counts.items())
        raise TransportError(
            f"input topics must have the same number of partitions, or a customer is torn apart ({told})"
        )
    return list(counts), next(iter(counts.values()))


class _JsonLines(logging.Formatter):
    """A JSON document a line, for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        told = {"time": self.formatTime(record), "level": record.levelname.lower(), "logger": record.name}
        return json.dumps(told | {"message": record.getMessage()}, ensure_ascii=False)


def _set_up_logging(settings: Settings) -> None:
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(_JsonLines() if settings.log_format == "json" else text)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("churnwatch").setLevel(settings.log_level.upper())
