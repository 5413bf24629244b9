"""Following the learner: guides are taken up in order, and all of them anew where the learner learns from other lives."""

import pytest

from agents.follow import Follower
from agents.guides import NOTHING_YET_MS, GuideBook
from models.store import Head, LearnerCommit, MemoryLearner, MemoryLearnerStore
from tests.unit.models.samples import guide

EPOCH_MS = 1_000
FIRST, SECOND = 7, 9


class Scene:
    """A learner's store, its writer and a worker that follows."""

    def __init__(self) -> None:
        data = MemoryLearner()
        self.writer, self.reader = MemoryLearnerStore(data), MemoryLearnerStore(data)
        self.guides = GuideBook(guide(0), EPOCH_MS)
        self.follower = Follower(self.reader, self.guides, lambda: None, 1.0)

    async def learn(self, *versions: int, life: int = FIRST) -> Head:
        """Commit guides, each learnt up to its version's epoch."""
        cut = [guide(version, version * EPOCH_MS) for version in versions]
        return await self.writer.commit(LearnerCommit(b"state", 1, versions[-1] * EPOCH_MS, cut, life))


async def test_guides_are_taken_up_as_they_are_cut() -> None:
    scene = Scene()
    await scene.writer.open()
    await scene.learn(1, 2)
    await scene.follower.refresh()
    assert scene.guides.at(3_000).guide.version == 2
    assert scene.guides.limit_ms() == 4_000


async def test_where_the_learner_goes_on_with_another_life_its_earlier_guides_are_read_again() -> None:
    scene = Scene()
    await scene.writer.open()
    await scene.learn(1, 2, 3)
    await scene.follower.refresh()
    # A partition's state was lost, the learner's was not. It runs in this worker and hands over what it has cut itself.
    head = await scene.learn(4, life=SECOND)
    scene.follower.take_up(head, [guide(4, 4_000)])
    assert scene.guides.limit_ms() == NOTHING_YET_MS
    await scene.follower.refresh()
    assert [scene.guides.at(at_ms).guide.version for at_ms in (3_500, 4_500, 5_500)] == [2, 3, 4]
    assert scene.guides.limit_ms() == 6_000


async def test_a_head_that_was_read_before_the_learner_handed_over_a_later_one_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    await scene.writer.open()
    await scene.learn(1, 2, 3)
    read = scene.reader.guide

    async def slow(version: int) -> bytes | None:
        monkeypatch.setattr(scene.reader, "guide", read)
        value = await read(version)
        # Meanwhile Redis loses everything, and the learner of this worker begins anew.
        await scene.writer.wipe()
        await scene.writer.open()
        scene.follower.take_up(await scene.learn(1, life=SECOND), [guide(1, 1_000)])
        return value

    monkeypatch.setattr(scene.reader, "guide", slow)
    await scene.follower.refresh()
    assert scene.guides.limit_ms() == NOTHING_YET_MS
    await scene.follower.refresh()
    assert scene.guides.limit_ms() == 3_000
    assert scene.guides.latest.guide.version == 1
