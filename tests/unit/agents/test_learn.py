"""The learner's shell: where it goes on from."""

from collections.abc import Mapping
from typing import Any, cast

from agents.follow import Follower
from agents.guides import GuideBook
from agents.learn import LearnerConfig, LearnerRunner
from models.learner import Learner
from models.store import Head, LearnerCommit, MemoryLearner, MemoryLearnerStore
from tests.unit.models.samples import NAMES, SCALES, guide


class Topic:
    """The example topic; notes where it is read from."""

    def __init__(self) -> None:
        self.offsets: Mapping[str, int] = {}

    async def start_from(self, offsets: Mapping[str, int]) -> None:
        self.offsets = offsets


async def opened(data: MemoryLearner) -> tuple[LearnerRunner, Mapping[str, int]]:
    async def lives() -> dict[int, int]:
        return {0: 7}

    topic, store = Topic(), MemoryLearnerStore(data)
    runner = LearnerRunner(
        new=lambda: Learner(NAMES, SCALES),
        lives=lives,
        store=store,
        source=cast(Any, topic),
        follower=Follower(store, GuideBook(guide(0)), lambda: None, 1.0),
        observer=cast(Any, None),
        config=LearnerConfig("churn.examples"),
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
