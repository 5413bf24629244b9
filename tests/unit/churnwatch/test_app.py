"""What a worker's log lets through, and a start that hangs."""

import asyncio
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from churnwatch import app
from churnwatch.logs import SELDOM_SECONDS, set_up_logging
from churnwatch.settings import Settings

AT_S = 1_700_000_000.0


@pytest.fixture
def handler() -> Iterator[logging.Handler]:
    """The one handler of a worker's log; what was set up before is set up again afterwards."""
    root = logging.getLogger()
    known, level = list(root.handlers), root.level
    root.handlers.clear()
    set_up_logging(Settings())
    (made,) = root.handlers
    yield made
    root.handlers[:] = known
    root.setLevel(level)


def said(handler: logging.Handler, name: str, line: int, seconds: float) -> bool:
    record = logging.LogRecord(name, logging.ERROR, "client.py", line, "no connection to %s", ("x",), None)
    record.created = AT_S + seconds
    return bool(handler.filter(record))


def test_a_client_says_a_thing_once_in_a_while(handler: logging.Handler) -> None:
    assert said(handler, "aiokafka.consumer", 10, 0.0)
    assert not any(said(handler, "aiokafka.consumer", 10, tenth / 10) for tenth in range(1, int(10 * SELDOM_SECONDS)))
    assert said(handler, "aiokafka.consumer", 11, 1.0), "another thing"
    assert said(handler, "aiokafka.consumer", 10, SELDOM_SECONDS)


def test_a_worker_says_what_it_has_to_say(handler: logging.Handler) -> None:
    assert all(said(handler, "churnwatch.worker", 10, 0.0) for _ in range(5))


async def test_a_start_that_hangs_is_given_up_where_the_worker_is_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or what the watch has found would be heard by nobody."""
    monkeypatch.setattr(app, "GRACE_SECONDS", 0.0)
    given_up, stuck = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    starting = asyncio.create_task(app._start(cast(Any, SimpleNamespace(start=hang)), [stuck]))
    await asyncio.sleep(0)
    stuck.set_result(None)
    await starting
    await given_up.wait()
