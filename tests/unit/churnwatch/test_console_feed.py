"""The feed notices that Kafka is away, and that it is back."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from churnwatch import console_feed
from churnwatch.console_feed import Feed
from churnwatch.settings import Settings
from console.board import Board
from console.inbox import Inbox
from streams.errors import TransportError
from tests.unit.console.test_app import Idle, Nobody, Nothing, Reporter


async def test_kafka_away_and_back_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board(Inbox(), Reporter(), Nobody(), Nothing(), Idle(), lambda: 0)
    up = False

    async def describe(_: Settings) -> None:
        if not up:
            raise TransportError("cannot work with Kafka")

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - the board has no event for it, and needs none
                await asyncio.sleep(0)

    monkeypatch.setattr(console_feed, "describe", describe)
    monkeypatch.setattr(console_feed, "WATCH_SECONDS", 0.0)
    watching = asyncio.create_task(Feed(Settings(), board)._watch())
    await until(lambda: board.freshness.away)
    up = True
    await until(lambda: not board.freshness.away)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
