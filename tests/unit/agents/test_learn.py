"""The learner's shell: where it goes on from."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast
from unittest.mock import Mock

import pytest

from agents.follow import Follower
from agents.guides import GuideBook
from agents.learn import LearnerConfig, LearnerRunner
from models.learner import Learner
from models.store import Head, LearnerCommit, MemoryLearner, MemoryLearnerStore
from streams.codec import RawRecord
from streams.errors import FenceLost
from tests.unit.models.samples import NAMES, SCALES, guide

NOW_MS = 1_700_000_000_000


class Topic:
    """The example topic; notes where it is read from."""

    def __init__(self) -> None:
        self.offsets: Mapping[str, int] = {}

    def stored(self, offsets: Mapping[str, int]) -> None:
        """Nobody asks."""

    async def start_from(self, offsets: Mapping[str, int]) -> None:
        self.offsets = offsets


async def opened(data: MemoryLearner, observer: Mock | None = None) -> tuple[LearnerRunner, Mapping[str, int]]:
    async def lives() -> dict[int, int]:
        return {0: 7}

    topic, store = Topic(), MemoryLearnerStore(data)
    runner = LearnerRunner(
        new=lambda: Learner(NAMES, SCALES),
        lives=lives,
        store=store,
        source=cast(Any, topic),
        follower=Follower(store, GuideBook(guide(0)), lambda: None, 1.0),
        observer=observer or Mock(),
        config=LearnerConfig("churn.examples"),
        now_ms=lambda: NOW_MS,
    )
    await runner.open()
    return runner, topic.offsets


async def learnt() -> MemoryLearner:
    data = MemoryLearner()
    store = MemoryLearnerStore(data)
    await store.open()
    await store.commit(LearnerCommit(Learner(NAMES, SCALES).to_bytes(), 12, 1_000, [guide(1, 1_000)], 7))
    return data


async def test_it_goes_on_from_what_is_stored() -> None:
    assert (await opened(await learnt()))[1] == {"churn.examples": 12}


async def test_where_its_state_was_deleted_it_learns_all_of_it_anew() -> None:
    data = await learnt()
    data.state = None
    runner, offsets = await opened(data)
    assert offsets == {"churn.examples": 0}
    assert runner.learner.life == 7
    assert await MemoryLearnerStore(data).head() == Head()


async def test_with_nothing_to_learn_it_still_sees_that_its_store_has_lost_what_it_stored() -> None:
    data = await learnt()
    before = replace(data)
    runner, _ = await opened(data)
    assert not await runner.turn()
    data.head, data.state = None, None
    with pytest.raises(FenceLost, match="latest commits"):
        await runner.turn()
    data.head, data.state = before.head, before.state
    assert not await runner.turn()


async def test_with_nothing_to_learn_it_still_tells_that_its_store_answers() -> None:
    """A worker that has nothing but the learner is ready for as long as that is so."""
    observer = Mock()
    runner, _ = await opened(await learnt(), observer)
    observer.answered.assert_not_called()
    await runner.turn()
    observer.answered.assert_called_once_with()


async def test_what_another_has_written_after_a_loss_is_not_taken_for_its_own() -> None:
    """The same messages give the same head, but for who has written it."""
    data = MemoryLearner()
    heads = []
    for claim in (5, 6):
        data.head = data.state = None
        store = MemoryLearnerStore(data)
        await store.open()
        heads.append(store)
        await store.commit(LearnerCommit(b"state", 12, None, claim=claim))
    with pytest.raises(FenceLost):
        await heads[0].commit(LearnerCommit(b"state", 13, None, claim=5))


async def test_every_opening_claims_anew() -> None:
    data = await learnt()
    claims = []
    for _ in range(2):
        runner, _ = await opened(data)
        runner.push("churn.examples", [RawRecord("churn.examples", 0, 12, 0, None, b"", ())])
        await runner.turn()
        claims.append((await MemoryLearnerStore(data).head()).claim)
    assert claims[0] < claims[1]
