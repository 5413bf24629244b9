"""Faults planted in a real worker process: what Faust, its threads and C code have done to others, done to it on purpose.

A fault is Python that the process runs before anything of its own (`sitecustomize`). It strikes as soon as the file `CHURNWATCH_TEST_FAULT`
names exists, so that a worker can be brought to where it hurts first.
"""

from pathlib import Path
from typing import Final

PREAMBLE: Final = """
import os, sys
if sys.argv[-1:] == ["worker"] or "-c" in sys.orig_argv:
    sys.path.insert(0, os.getcwd())
    import asyncio, threading, time
    def struck():
        return os.path.exists(os.environ["FAULT"])
"""

FAULTS: Final[dict[str, str]] = {
    # -- one part stands still while everything else goes on
    "a step never comes back": """
        from agents.runner import PartitionRunner
        step = PartitionRunner.step
        async def stuck(self):
            if struck() and self.partition == 2:
                await asyncio.Event().wait()
            return await step(self)
        PartitionRunner.step = stuck
    """,
    "a partition's runner is cancelled": """
        from agents.runner import PartitionRunner
        step = PartitionRunner.step
        async def cancelled(self):
            if struck() and self.partition == 2:
                raise asyncio.CancelledError
            return await step(self)
        PartitionRunner.step = cancelled
    """,
    "a partition's runner dies": """
        from agents.runner import PartitionRunner
        step = PartitionRunner.step
        async def dying(self):
            if struck() and self.partition == 2:
                raise RuntimeError("planted")
            return await step(self)
        PartitionRunner.step = dying
    """,
    "an outbox never hears from Kafka": """
        from agents.publish import KafkaPublisher
        publish = KafkaPublisher.publish
        async def deaf(self, messages):
            if struck():
                await asyncio.Event().wait()
            await publish(self, messages)
        KafkaPublisher.publish = deaf
    """,
    "the learner never comes back": """
        from agents.learn import LearnerRunner
        turn = LearnerRunner.turn
        async def stuck(self):
            if struck() and self.held:
                await asyncio.Event().wait()
            return await turn(self)
        LearnerRunner.turn = stuck
    """,
    # -- Faust
    "the agent raises": """
        from agents.ingest import Assignments
        deliver = Assignments.deliver
        def raising(self, chunk):
            if struck():
                raise RuntimeError("planted")
            deliver(self, chunk)
        Assignments.deliver = raising
    """,
    "fetching raises": """
        from streams.reader import Reader
        fetch = Reader.fetch
        async def raising(self, partitions, seconds):
            if struck():
                raise RuntimeError("planted")
            return await fetch(self, partitions, seconds)
        Reader.fetch = raising
    """,
    "fetching ends without a word": """
        from streams.reader import Reader
        fetch = Reader.fetch
        async def cancelled(self, partitions, seconds):
            if struck():
                raise asyncio.CancelledError
            return await fetch(self, partitions, seconds)
        Reader.fetch = cancelled
    """,
    "the consumer's thread dies": """
        from streams.transport import ChunkConsumerThread
        async def die(self):
            while not struck():
                await asyncio.sleep(0.1)
            raise RuntimeError("planted")
        started = ChunkConsumerThread.on_thread_started
        async def mortal(self):
            await started(self)
            await die(self)
        ChunkConsumerThread.on_thread_started = mortal
        ChunkConsumerThread.wait_for_thread = False
    """,
    "the consumer's thread stands still": """
        from streams.transport import ChunkConsumerThread
        started = ChunkConsumerThread.on_thread_started
        async def stand():
            while not struck():
                await asyncio.sleep(0.1)
            threading.Event().wait()
        async def mortal(self):
            await started(self)
            self.standing = asyncio.create_task(stand())
        ChunkConsumerThread.on_thread_started = mortal
    """,
    "the group refuses the worker": """
        from aiokafka.errors import GroupAuthorizationFailedError
        from streams.transport import ChunkConsumerThread
        started = ChunkConsumerThread.on_thread_started
        async def refuse(self):
            while not struck():
                await asyncio.sleep(0.1)
            self._consumer._subscription.abort_waiters(GroupAuthorizationFailedError("planted"))
        async def refused(self):
            await started(self)
            self.refusing = asyncio.create_task(refuse(self))
        ChunkConsumerThread.on_thread_started = refused
    """,
    "nobody polls for as long as a group allows": """
        from churnwatch import worker
        options = worker.consumer_options
        worker.consumer_options = lambda settings: options(settings) | {"max_poll_interval_ms": 500}
    """,
    "being given partitions raises": """
        from agents.ingest import Assignments
        async def raising(self, partitions):
            raise RuntimeError("planted")
        Assignments.on_assigned = raising
    """,
    "being given partitions never ends": """
        import churnwatch.vitals
        churnwatch.vitals.REBALANCE_MS = 1_000
        from agents.ingest import Assignments
        async def endless(self, partitions):
            await asyncio.Event().wait()
        Assignments.on_assigned = endless
    """,
    "Faust never stops": """
        import faust
        async def endless(self):
            await asyncio.Event().wait()
        faust.App.stop = endless
    """,
    "Faust crashes while it stops": """
        import faust
        stop = faust.App.stop
        async def crashing(self):
            await self.crash(RuntimeError("planted"))
            await stop(self)
        faust.App.stop = crashing
    """,
    "Faust waits for its thread on the loop": """
        import faust
        async def joining(self):
            threading.Event().wait()
        faust.App.stop = joining
    """,
    # -- the loop
    "a callback blocks": """
        def block():
            if struck():
                threading.Event().wait()
            asyncio.get_running_loop().call_later(0.1, block)
        from churnwatch.worker import Worker
        start = Worker.start
        async def started(self):
            await start(self)
            block()
        Worker.start = started
    """,
    "a call keeps the interpreter's lock": """
        import re
        def block():
            if struck():
                re.match("(a|aa)+$", "a" * 60 + "b")
            asyncio.get_running_loop().call_later(0.1, block)
        from churnwatch.worker import Worker
        start = Worker.start
        async def started(self):
            await start(self)
            block()
        Worker.start = started
    """,
    # -- what must not be taken for a fault
    "the learner takes long": """
        from agents.learn import LearnerRunner
        from models.learner import Learner
        advance = Learner.advance
        def long(self):
            if struck():
                for _ in range(100):  # twice the bound, in blocks of a tenth of a second
                    time.sleep(0.1)
                    self._state.counters.examples += 1
            return advance(self)
        Learner.advance = long
    """,
}


class Fault:
    """One of `FAULTS`: `environ` brings it into a worker, `strike` lets it happen."""

    def __init__(self, name: str, folder: Path) -> None:
        self._flag = folder / "struck"
        self._folder = folder / "plant"
        self._folder.mkdir()
        (self._folder / "sitecustomize.py").write_text(PREAMBLE + FAULTS[name].replace("\n    ", "\n"))

    @property
    def environ(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self._folder), "FAULT": str(self._flag)}

    def strike(self) -> None:
        self._flag.touch()
