"""The demo's console: it listens while the log is replayed, and is served when all has been said.

It listens from the start because the in-process broker keeps only the latest messages. It is for whoever started the demo, on this
machine: loopback only, a token made up for this once, whatever the settings say.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from churnwatch.child import free_port
from churnwatch.console_serve import rules_of, serve, standing
from churnwatch.kafka import answering, open_producer
from churnwatch.settings import Settings
from churnwatch.terminal import say
from console.board import Board

HOST = "127.0.0.1"


def seconds_to_serve(*, console: bool, seconds: int | None) -> float | None:
    """Return for how long to serve at the end: 0 for not at all, None for until Ctrl-C, which takes somebody at a terminal."""
    if not console:
        return 0.0
    if seconds is not None:
        return float(seconds)
    return None if sys.stdout.isatty() else 0.0


@asynccontextmanager
async def listening(settings: Settings, workers: Sequence[int]) -> AsyncIterator[tuple[Settings, Board]]:
    """Hold a board that hears what the demo says, and the settings to serve it with; `workers` are the ports of their /metrics."""
    own = settings.model_copy(
        update={
            "console_host": HOST,
            "console_port": free_port(settings.console_port),
            "console_token": None,
            "console_reader_token": None,
            "console_proxy_header": "",
            "console_workers": ",".join(f"http://{HOST}:{port}" for port in workers),
        }
    )
    topics = own.topics()
    async with open_producer(own) as producer, answering(own):
        for topic in (topics.alerts, topics.scores, topics.inputs["outcomes"]):
            await producer.partitions_for(topic)  # the in-process broker makes a topic when it is first asked for
    async with standing(own) as board:
        yield own, board


async def serve_console(settings: Settings, board: Board, seconds: float | None) -> None:
    """Serve for so long, or until Ctrl-C, saying where and how it ends."""
    say("\nThe console shows all of it: who is at risk and why, each customer, the model, the workers.")
    await serve(
        board, settings, rules_of(settings), seconds, "Ctrl-C ends it, and with it all that the demo has started."
    )
