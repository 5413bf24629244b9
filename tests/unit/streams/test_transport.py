"""What the transport does when its thread no longer answers."""

import asyncio

import pytest
from faust.types import TP

from streams.transport import ChunkConsumer

OFFSETS = {TP("customer.orders", 0): 7}


class Thread:
    """A consumer's thread: it answers, or it keeps one waiting."""

    def __init__(self, *, answers: bool) -> None:
        self.should_stop = False
        self.asked = asyncio.Event()
        self._answers = answers

    async def commit(self, offsets: dict[TP, int]) -> bool:
        assert offsets == OFFSETS
        self.asked.set()
        if not self._answers:
            await asyncio.Event().wait()
        return True


def consumer(thread: Thread) -> ChunkConsumer:
    made = ChunkConsumer.__new__(ChunkConsumer)  # a whole one wants a running app and a broker
    made.__dict__.update({"_thread": thread, "_stored": {}, "_told": {}})
    return made


@pytest.mark.asyncio
async def test_a_commit_is_answered() -> None:
    assert await consumer(Thread(answers=True))._commit(OFFSETS)


@pytest.mark.asyncio
async def test_a_commit_does_not_outlive_a_thread_that_stops() -> None:
    thread = Thread(answers=False)
    committing = asyncio.ensure_future(consumer(thread)._commit(OFFSETS))
    await thread.asked.wait()
    assert not committing.done()
    thread.should_stop = True
    assert await asyncio.wait_for(committing, 5) is False


def test_what_faust_books_by_itself_does_not_pile_up() -> None:
    tp = TP("customer.orders", 0)
    made = consumer(Thread(answers=True))
    made._stored[tp] = (7, "")
    made._acked, made._acked_index = {tp: [4, 5, 6]}, {tp: {4, 5, 6}}  # as faust/_cython/streams.pyx does, past `ack`
    assert made._filter_committable_offsets({tp}) == {tp: 7}
    assert not made._acked
    assert not made._acked_index
