"""The processes that share a backtest: started here, fed, listened to, and ended with it, however it ends.

1. Each is a Python of its own (nothing is forked) that runs `backtest_child` and holds one shard of the customers.
2. They get the log's chunks, `CHUNKS_AHEAD` at most of which a shard has not begun yet, so nothing piles up where one is slow.
3. What they say goes to the learner, which is here. Its guides go to all, and how far it has finished, which is what keeps a shard
   from running more than an epoch ahead (`agents.guides`).
4. The first that fails or dies ends the whole. None outlives this process: its input closes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import SecretStr

from churnwatch.backtest_frames import (
    LENGTH_BYTES,
    Chunk,
    End,
    Failed,
    FromShard,
    Guides,
    Rest,
    Setup,
    Told,
    ToShard,
    Wants,
    frame,
    from_shard,
)
from churnwatch.backtest_route import Dealer
from churnwatch.backtest_shard import Stumbled
from churnwatch.settings import Settings
from models.guide import Guide, encode_guide
from models.learner import Learner
from streams.errors import ChurnwatchError
from streams.feed import NO_TIME_MS

CHUNKS_AHEAD: Final = 3


class JobError(ChurnwatchError):
    """A process that shared the work has failed or was killed; the message names it and says what to do."""


@dataclass(slots=True)
class _Hand:
    number: int
    process: asyncio.subprocess.Process
    writer: asyncio.StreamWriter
    reader: asyncio.StreamReader
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CHUNKS_AHEAD))
    clock_ms: int = NO_TIME_MS

    def say(self, said: ToShard) -> None:
        self.writer.write(frame(said))


class Crew:
    """So many processes; see the module's text. The arguments are those of `backtest.replay`."""

    def __init__(
        self, settings: Settings, now_ms: int, frozen: Guide | None, wants: Wants, jobs: int, *, careful: bool = False
    ) -> None:
        fields = plain(settings)
        guide = None if frozen is None else encode_guide(frozen)
        quiet = logging.root.manager.disable >= logging.CRITICAL
        self._setups = [Setup(number, jobs, fields, now_ms, guide, wants, careful, quiet) for number in range(jobs)]
        self._hands: list[_Hand] = []
        self._finished_ms: int | None = None

    async def run(
        self,
        dealer: Dealer,
        heard: Callable[[Told, int], list[Guide]],
        keep: Callable[[Rest], None],
        learner: Learner | None,
    ) -> None:
        """Replay what the dealer gives; `heard` is told of every step with the clock of the slowest, `keep` of what is left at the end."""
        tasks: list[asyncio.Task[None]] = []

        def take(told: Told) -> None:
            guides = heard(told, min(hand.clock_ms for hand in self._hands))
            if learner is not None and (guides or learner.learnt_until_ms != self._finished_ms):
                self._finished_ms = learner.learnt_until_ms
                news = Guides([encode_guide(guide) for guide in guides], self._finished_ms)
                for hand in self._hands:
                    hand.say(news)

        try:
            for setup in self._setups:
                self._hands.append(await _start(setup))
            tasks = [asyncio.create_task(self._deal(dealer))]
            tasks += [asyncio.create_task(self._listen(hand, take, keep)) for hand in self._hands]
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for hand in self._hands:
                await _end(hand)

    async def _deal(self, dealer: Dealer) -> None:
        with suppress(ConnectionError):  # who has died is named by whoever listens
            for chunks in dealer.chunks(len(self._hands)):
                for hand, chunk in zip(self._hands, chunks, strict=True):
                    await _give(hand, chunk)
            for hand in self._hands:
                hand.say(End(dealer.last_ms))

    async def _listen(self, hand: _Hand, take: Callable[[Told], None], keep: Callable[[Rest], None]) -> None:
        while True:
            said = await self._next(hand)
            if isinstance(said, Failed) and said.stumbled:
                raise Stumbled(said.why)
            if isinstance(said, Failed):
                raise JobError(f"{self._name(hand)} has failed: {said.why}")
            if isinstance(said, Rest):
                keep(said)
            elif said.over:
                return
            else:
                hand.clock_ms = said.clock_ms
                for _ in range(said.chunks):
                    hand.room.release()
                take(said)

    async def _next(self, hand: _Hand) -> FromShard:
        try:
            size = int.from_bytes(await hand.reader.readexactly(LENGTH_BYTES), "big")
            return from_shard(await hand.reader.readexactly(size))
        except asyncio.IncompleteReadError:
            code = await hand.process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        raise JobError(
            f"{self._name(hand)} {how} before its work was done; if memory was short, take fewer processes (--jobs), "
            "for each holds its customers, or lower CHURNWATCH_CACHE_CUSTOMERS_MAX"
        )

    def _name(self, hand: _Hand) -> str:
        return f"process {hand.number + 1} of the backtest's {len(self._hands)} (pid {hand.process.pid})"


async def _start(setup: Setup) -> _Hand:
    # -P: what lies in the directory that people happen to be in must not be taken for a module of ours.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "churnwatch.backtest_child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"OPENBLAS_NUM_THREADS": "1"} | os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # a Ctrl-C on the terminal stops us, and we stop them
    )
    assert process.stdin is not None
    assert process.stdout is not None
    hand = _Hand(setup.number, process, process.stdin, process.stdout)
    hand.say(setup)
    return hand


async def _give(hand: _Hand, chunk: Chunk) -> None:
    await hand.room.acquire()
    hand.say(chunk)
    await hand.writer.drain()


async def _end(hand: _Hand) -> None:
    hand.writer.close()
    if hand.process.returncode is None:
        with suppress(ProcessLookupError):
            hand.process.kill()
    await hand.process.wait()


def plain(settings: Settings) -> dict[str, Any]:
    """Return the settings' fields as plain data, secrets and all, such that `Settings(**fields)` is the same again."""
    told: dict[str, Any] = settings.model_dump(mode="json")
    for name in told:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            told[name] = value.get_secret_value()
    return told
