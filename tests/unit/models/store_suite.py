"""What every `LearnerStore` must do: run over memory here, over Redis in `tests/integration`.

A subclass provides the fixture `make`: a function that returns a new store, unopened, on the test's own keys.
"""

from collections.abc import Callable

import pytest

from models.guide import decode_guide
from models.store import GUIDES_KEPT, HISTORY_MAX, Head, LearnerCommit, LearnerStore, Record
from streams.errors import FenceLost, StateError
from streams.time import DAY_MS
from tests.unit.models.samples import guide

Make = Callable[[], LearnerStore]


def commit(number: int, *versions: int, state: bytes | None = None) -> LearnerCommit:
    """The learner's commit up to a day, with the guides of some versions, each cut on the day of its number."""
    guides = [guide(version, version * DAY_MS, quality={"auc": 0.5 + version / 1000}) for version in versions]
    return LearnerCommit(state or b"state %d" % number, 10 * number, number * DAY_MS, guides)


async def opened(make: Make, *commits: LearnerCommit) -> LearnerStore:
    store = make()
    await store.open()
    for each in commits:
        await store.commit(each)
    return store


class LearnerStoreSuite:
    async def test_a_new_store_is_empty(self, make: Make) -> None:
        store = make()
        assert await store.open() == (None, Head())
        assert await store.head() == Head()
        assert await store.guide(1) is None
        assert await store.history() == []

    async def test_what_is_committed_is_read(self, make: Make) -> None:
        store = make()
        await store.open()
        state = bytes(range(256)) * 1_000
        head = await store.commit(commit(3, 1, 2, state=state))
        assert head == Head(1, 30, 3 * DAY_MS, 2, ((DAY_MS, 1), (2 * DAY_MS, 2)))
        reader = make()
        assert await reader.head() == head
        assert await reader.guide(2) == await store.guide(2)
        assert decode_guide(await reader.guide(2) or b"") == guide(2, 2 * DAY_MS, quality={"auc": 0.502})
        assert await reader.history() == [
            Record(1, DAY_MS, 100, {"auc": 0.501}),
            Record(2, 2 * DAY_MS, 200, {"auc": 0.502}),
        ]
        assert await make().open() == (state, head)

    async def test_a_commit_without_guides_moves_the_head(self, make: Make) -> None:
        store = await opened(make, commit(1, 1), commit(2))
        assert await store.head() == Head(2, 20, 2 * DAY_MS, 1, ((DAY_MS, 1),))
        assert (await make().open())[0] == b"state 2"

    async def test_a_writer_that_was_replaced_is_refused(self, make: Make) -> None:
        zombie = await opened(make, commit(1, 1))
        successor = await opened(make, commit(2, 2))
        with pytest.raises(FenceLost, match="another learner"):
            await zombie.commit(commit(9, 3))
        assert await successor.head() == Head(2, 20, 2 * DAY_MS, 2, ((DAY_MS, 1), (2 * DAY_MS, 2)))
        assert await successor.guide(3) is None
        assert len(await successor.history()) == 2
        await successor.commit(commit(3, 3))

    async def test_two_that_begin_together_do_not_both_win(self, make: Make) -> None:
        first, second = await opened(make), await opened(make)
        await first.commit(commit(1))
        with pytest.raises(FenceLost):
            await second.commit(commit(1))

    async def test_opening_again_is_the_way_back(self, make: Make) -> None:
        store = await opened(make, commit(1))
        await opened(make, commit(2))
        with pytest.raises(FenceLost):
            await store.commit(commit(2))
        with pytest.raises(FenceLost):
            await store.commit(commit(2))
        state, head = await store.open()
        assert (state, head.next_offset) == (b"state 2", 20)
        await store.commit(commit(3))

    async def test_a_store_that_was_not_opened_takes_no_commit(self, make: Make) -> None:
        with pytest.raises(FenceLost):
            await make().commit(commit(1))

    async def test_only_the_newest_guides_are_kept(self, make: Make) -> None:
        store = await opened(make, commit(1, 1), commit(2, *range(2, GUIDES_KEPT + 3)))
        head = await store.head()
        assert [version for _, version in head.guides] == list(range(3, GUIDES_KEPT + 3))
        assert [await store.guide(version) is None for version in (1, 2, 3)] == [True, True, False]
        assert len(await store.history()) == GUIDES_KEPT + 2

    async def test_the_history_is_bounded(self, make: Make) -> None:
        store = await opened(make, commit(1, *range(1, HISTORY_MAX)), commit(2, *range(HISTORY_MAX, HISTORY_MAX + 3)))
        assert [record.version for record in await store.history()] == list(range(3, HISTORY_MAX + 3))

    async def test_a_pinned_version_is_seen_by_all_and_stays_kept(self, make: Make) -> None:
        store = await opened(make, commit(1, 1))
        await make().set_pinned(1)
        assert (await store.head()).pinned == 1
        assert (await store.commit(commit(2, *range(2, GUIDES_KEPT + 9)))).pinned == 1
        assert await store.guide(1) is not None
        assert (await make().open())[1].pinned == 1

    async def test_letting_go_of_a_pinned_version_ends_its_extra_time(self, make: Make) -> None:
        store = await opened(make, commit(1, 1, 2))
        await store.set_pinned(1)
        await store.commit(commit(2, *range(3, GUIDES_KEPT + 9)))
        await store.set_pinned(1)
        assert await store.guide(1) is not None
        await store.set_pinned(None)
        assert await store.guide(1) is None
        assert (await store.head()).pinned is None

    async def test_pinning_another_version_leaves_what_is_kept_anyway(self, make: Make) -> None:
        store = await opened(make, commit(1, 1, 2))
        await store.set_pinned(1)
        await store.set_pinned(2)
        assert await store.guide(1) is not None
        assert (await store.head()).pinned == 2
        await store.commit(commit(2, 3))

    async def test_a_version_that_is_not_kept_cannot_be_pinned(self, make: Make) -> None:
        with pytest.raises(StateError, match="none is"):
            await make().set_pinned(1)
        store = await opened(make, commit(1, 1, 2))
        with pytest.raises(StateError, match="1 to 2 are"):
            await store.set_pinned(7)
        assert (await store.head()).pinned is None

    async def test_a_wiped_store_is_a_new_one(self, make: Make) -> None:
        store = await opened(make, commit(1, 1, 2))
        await store.set_pinned(1)
        await make().wipe()
        assert await make().open() == (None, Head())
        assert await make().guide(1) is None
        assert await make().history() == []
        with pytest.raises(FenceLost):
            await store.commit(commit(2))

    async def test_a_closed_store_can_be_opened_again(self, make: Make) -> None:
        store = await opened(make, commit(1))
        await store.close()
        with pytest.raises(FenceLost):
            await store.commit(commit(2))
        await store.open()
        await store.commit(commit(2))
        await store.close()
