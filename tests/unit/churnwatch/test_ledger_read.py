"""The ledger is found in what the learner stores."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from alerts.counts import StatsBuilder
from churnwatch import compose, ledger_read
from churnwatch.ledger_read import ledger_in, read_ledger
from churnwatch.settings import Settings
from models.labels import ExampleBatch
from models.store import Head, LearnerCommit, MemoryLearnerStore
from streams.errors import Corrupt

SETTINGS = Settings()
POLICY = compose.policy(SETTINGS)


def a_state() -> bytes:
    stats = StatsBuilder()
    stats.book(10_000, "opened", "loyal", amount=3)
    learner = compose.learner(SETTINGS)
    learner.absorb(ExampleBatch(source=0, partitions=1, seq=1, mark_ms=0, stats=stats.take()))
    return learner.to_bytes()


def test_it_is_the_ledger_that_the_learner_has_booked() -> None:
    assert list(ledger_in(a_state(), POLICY).entries("opened")) == [("1997-05", ("loyal",), 3)]


def test_before_anything_was_learnt_it_is_empty() -> None:
    assert ledger_in(None, POLICY).months == {}


def test_what_is_no_state_is_refused() -> None:
    with pytest.raises(Corrupt):
        ledger_in(b"\x02nonsense", POLICY)


class Closing(MemoryLearnerStore):
    """A store in memory that can be closed, and tells whether it was."""

    closed = False

    async def close(self) -> None:
        self.closed = True


def test_it_is_read_from_the_store_which_is_closed_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Closing()

    @asynccontextmanager
    async def nowhere(_: Settings) -> AsyncIterator[None]:
        yield None

    async def read() -> list[tuple[str, tuple[str, ...], int]]:
        await store.open()
        await store.commit(LearnerCommit(a_state(), 1, None))
        found = list((await read_ledger(SETTINGS)).entries("opened"))
        assert (await store.head()) == Head(commits=1, next_offset=1)
        return found

    monkeypatch.setattr(ledger_read, "open_redis", nowhere)
    monkeypatch.setattr(ledger_read, "open_learner_store", lambda *_: store)
    assert asyncio.run(read()) == [("1997-05", ("loyal",), 3)]
    assert store.closed
