"""Whoever listens hears of every change once, and a slow listener costs bounded memory."""

import asyncio

import pytest

from console import board as boards
from console.board import Board
from console.inbox import Inbox
from tests.unit.console.test_app import Idle, Nobody, Nothing, Reporter


@pytest.fixture
def board() -> Board:
    return Board(Inbox(), Reporter(), Nobody(), Nothing(), Idle(), lambda: 0)


async def test_changes_are_heard_by_all_who_listen(board: Board) -> None:
    listeners = [board.changes() for _ in range(2)]
    heard = [asyncio.ensure_future(anext(listener)) for listener in listeners]
    await asyncio.sleep(0)
    board.changed(["a", "b", "a"])
    assert await asyncio.gather(*heard) == [["a", "b"], ["a", "b"]]
    board.changed(["c"])
    assert await anext(listeners[0]) == ["c"]


async def test_more_than_can_be_named_is_told_as_such(board: Board) -> None:
    listener = board.changes()
    heard = asyncio.ensure_future(anext(listener))
    await asyncio.sleep(0)
    for number in range(3 * boards.TOLD_MAX):
        board.changed([str(number)])
    assert await heard is None


async def test_listeners_are_bounded_and_leave(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "LISTENERS_MAX", 1)
    first = board.changes()
    heard = asyncio.ensure_future(anext(first))
    await asyncio.sleep(0)
    assert [episodes async for episodes in board.changes()] == []
    board.changed(["a"])
    await heard
    await first.aclose()  # type: ignore[attr-defined]
    second = board.changes()
    heard = asyncio.ensure_future(anext(second))
    await asyncio.sleep(0)
    board.changed(["b"])
    assert await heard == ["b"]
