"""`run_worker`: look at the topics, start a worker, stay until told to stop, and end with an exit code."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, Final

from aiokafka.errors import KafkaError

from churnwatch.kafka import Cluster, describe, unseen
from churnwatch.kafka_answers import ask_kafka
from churnwatch.kafka_rights import check_rights
from churnwatch.logs import set_up_logging
from churnwatch.redis_client import check_let_in
from churnwatch.settings import Settings
from churnwatch.watchdog import LoopWatch, Watch, waiting_in
from churnwatch.worker import Worker
from streams.errors import TransportError

log = logging.getLogger("churnwatch.worker")

EMBEDDED_PARTITIONS: Final = 4
RETRY_SECONDS: Final = 2.0
GRACE_SECONDS: Final = 10.0
LET_GO_SECONDS: Final = 2.0
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
END_SECONDS: Final = 10.0


def run_worker(settings: Settings, *, with_parent: bool = False) -> int:
    """Run one worker until SIGTERM or SIGINT (exit code 0) or until it cannot go on (1, with one line that says why).

    `with_parent`: also until standard input closes, which it does however the starter ends.
    """
    set_up_logging(settings)
    loop = asyncio.new_event_loop()
    loop_watch = LoopWatch(loop, settings.stalled_ms / 1000)
    loop_watch.start()
    try:
        return loop.run_until_complete(_run(settings, loop_watch, with_parent=with_parent))
    finally:
        # From here to the end of the process nothing should take long, and no thread of a client's may keep it from ending.
        loop_watch.end_within(END_SECONDS)
        _let_go(loop)


def _let_go(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left of the Kafka client's and Faust's tasks, and close the loop.

    `asyncio.run` would wait for ever for a task that does not listen. While there is one the loop is left as it is: closed, it would complain
    of that, and the thread of a consumer that has not stopped still calls into it.
    """
    if loop.run_until_complete(_cancel_all()):
        loop.close()
    for signum in SIGNALS:
        signal.signal(
            signum, signal.SIG_IGN
        )  # it is ending already; a closed loop would leave them to kill it on its last step


async def _cancel_all() -> bool:
    """Cancel all tasks but this one; returns whether they have ended."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    # It would complain of each, and there is nothing to be done.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    if not left:
        return True
    _, late = await asyncio.wait(left, timeout=LET_GO_SECONDS)
    return not late


async def _run(settings: Settings, loop_watch: LoopWatch, *, with_parent: bool) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), stop.set)  # nothing is ever written to it: readable means closed
    for signum in SIGNALS:
        loop.add_signal_handler(signum, stop.set)
    told = asyncio.create_task(stop.wait(), name="told to stop")
    looking = asyncio.create_task(_look(settings), name="looking at the topics")
    await asyncio.wait([looking, told], return_when=asyncio.FIRST_COMPLETED)
    if not looking.done():
        return 0
    cluster, topics, partitions = looking.result()
    worker = Worker(settings, topics, partitions)
    loop_watch.signs = worker.learnt

    async def asked() -> None:
        await ask_kafka(settings, topics, partitions, embedded=cluster.embedded)

    watch = Watch(worker.awake, worker.observer.parts, worker.status.parts, asked, settings.stalled_ms)
    watching = asyncio.create_task(watch.run(), name="watch")
    try:
        await _start(worker, [told, worker.failure, watching])
        if not told.done():
            log.info(
                "Worker started: %d input topics of %d partitions, clock %s", len(topics), partitions, settings.clock
            )
        crashed = asyncio.ensure_future(worker.app.wait_for_stopped(told))
        endings: list[asyncio.Future[Any]] = [crashed, worker.failure, watching]
        await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
        if worker.app.crashed:
            raise _crash(worker)  # what fails along with it is told less well
    finally:
        watching.cancel()
        await _stop(worker, settings, loop_watch)
    return _outcome(worker, watching)


async def _start(worker: Worker, endings: Sequence[asyncio.Future[Any]]) -> None:
    """Start the worker; one that is to end meanwhile has a moment to come to where it can be stopped."""
    starting = asyncio.create_task(worker.start(), name="starting")
    await asyncio.wait([starting, *endings], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        await asyncio.wait([starting], timeout=GRACE_SECONDS)
    if starting.done():
        try:
            starting.result()
        except KafkaError as error:
            raise TransportError(f"Kafka went away while the worker was starting ({error}); start it again") from error
    else:
        starting.cancel()


def _outcome(worker: Worker, watching: asyncio.Task[None]) -> int:
    """The exit code of a worker that has stopped; raises what made it stop, where nobody told it to."""
    for ending in (watching, worker.failure):
        if ending.done() and not ending.cancelled():
            ending.result()
    if worker.app.crashed:
        raise _crash(worker)
    if not worker.left:
        log.warning(
            "Worker stopped without taking leave of its consumer group (it was about to be rebalanced, or Kafka took too "
            "long); all is stored, another worker takes over after CHURNWATCH_KAFKA_SESSION at the latest"
        )
    log.info("Worker stopped")
    return 0


def _crash(worker: Worker) -> TransportError:
    return TransportError(
        f"the connection to Kafka has failed for good: {worker.app.crash_reason!r}; start the worker again"
    )


async def _stop(worker: Worker, settings: Settings, loop_watch: LoopWatch) -> None:
    """Stop the worker within its drain time and a little more; where Kafka or Redis will not let it, leave at once and loudly."""
    seconds = settings.drain_ms / 1000 + GRACE_SECONDS
    loop_watch.end_within(seconds + END_SECONDS)  # Faust joins its threads on the loop: then nothing here runs any more
    stopping = asyncio.create_task(worker.stop(), name="stopping")
    done, _ = await asyncio.wait([stopping], timeout=seconds)
    if not done:
        log.error(
            "Not stopped after %g s (is Kafka or Redis away?), waiting in %s; leaving. Nothing stored is lost",
            seconds,
            waiting_in(stopping),
        )
        logging.shutdown()
        os._exit(1)
    stopping.result()


async def _look(settings: Settings) -> tuple[Cluster, list[str], int]:
    """What there is to work on: the cluster, its input topics, their partitions; waits for Kafka.

    Raises ConfigError or TransportError where something is missing that waiting will not bring.
    """
    cluster = await _cluster(settings)
    await check_let_in(settings)
    topics, partitions = input_layout(settings, cluster)
    await check_rights(settings, cluster)
    return cluster, topics, partitions


async def _cluster(settings: Settings) -> Cluster:
    while True:
        try:
            return await describe(settings)
        except TransportError as error:
            log.warning("Waiting for Kafka: %s", error)
        await asyncio.sleep(RETRY_SECONDS)


def input_layout(settings: Settings, cluster: Cluster) -> tuple[list[str], int]:
    """Return the input topics that exist and the number of partitions that all of them have.

    Raises TransportError where a required one is missing, or where they differ.
    """
    topics = settings.topics()
    if cluster.embedded:
        return list(topics.inputs.values()), EMBEDDED_PARTITIONS
    missing = [topic for topic in [*topics.required(), topics.examples] if topic not in cluster.partitions]
    if missing:
        raise TransportError(
            f"topics are missing: {', '.join(missing)}; create them with `churnwatch topics create`{unseen(settings)}"
        )
    counts = {topic: cluster.partitions[topic] for topic in topics.inputs.values() if topic in cluster.partitions}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{topic}: {count}" for topic, count in counts.items())
        raise TransportError(
            f"input topics must have the same number of partitions, or a customer is torn apart ({told})"
        )
    return list(counts), next(iter(counts.values()))
