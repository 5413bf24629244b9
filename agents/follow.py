"""Following the learner: new guides into this worker's guide book, within a second live, at once in replay.

The learner may be in another process, so the head of its store is read now and then: a few hundred bytes. Where it is in this one,
it hands its guides over directly, and nobody waits for a clock.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from agents.guides import GuideBook
from models.guide import Guide, decode_guide
from models.store import Head, LearnerStore
from streams.errors import Corrupt, NewerSchema, StoreUnavailable

log = logging.getLogger("churnwatch.follow")


class Follower:
    """Keeps `guides` up to date from `store`; `changed` is called after every change.

    With a pinned version (an operator's roll back) that version scores, whatever is newer, until it is unpinned.
    """

    def __init__(self, store: LearnerStore, guides: GuideBook, changed: Callable[[], None], seconds: float) -> None:
        self._store = store
        self._guides = guides
        self._changed = changed
        self._seconds = seconds
        self._pinned: int | None = None
        self._commits = -1
        self._life: int | None = None
        self.answered = False
        """Whether the store has been read: a worker is not ready before."""

    async def run(self) -> None:
        """Read the head for ever."""
        failing = False
        while True:
            try:
                await self.refresh()
            except StoreUnavailable as error:
                if not failing:
                    log.warning("The learner's models cannot be read; scoring goes on with the last one: %s", error)
                failing = True
            else:
                if failing:
                    log.info("The learner's models can be read again")
                failing = False
            await asyncio.sleep(self._seconds)

    async def refresh(self) -> None:
        """Take up what is new, unless the learner of this process hands over something newer meanwhile."""
        before = self._commits, self._life
        head = await self._store.head()
        self.answered = True
        if head.pinned != self._pinned:
            await self._repin(head)
        if (head.commits, head.life) == before or (self._commits, self._life) != before:
            return
        self._notice(head)
        before = self._commits, self._life
        fresh = []
        for boundary_ms, version in head.guides:
            if not self._guides.known(boundary_ms):
                value = await self._store.guide(version)
                if value is not None:
                    fresh.append(_read(version, value))
        if (self._commits, self._life) == before:
            self.take_up(head, fresh)

    def _notice(self, head: Head) -> bool:
        """Where the learner goes on with another life, or has begun anew, all its guides come anew; returns whether so."""
        another = self._life not in (None, head.life)
        if another:
            self._guides.begin_again()
        self._life = head.life
        return another

    async def _repin(self, head: Head) -> None:
        value = None if head.pinned is None else await self._store.guide(head.pinned)
        self._guides.pin(None if value is None else _read(head.pinned or 0, value))
        self._pinned = head.pinned
        log.info(
            "Scoring with model %s", "as it is learnt" if head.pinned is None else f"{head.pinned}, which is pinned"
        )

    def take_up(self, head: Head, guides: Sequence[Guide]) -> None:
        """Add guides, oldest first, that have come with this head."""
        if self._notice(head):
            self._commits = -1  # those of before come with the next look at the store
            return
        for guide in guides:
            self._guides.add(guide.learnt_until_ms, guide)
        self._commits = head.commits
        if head.learnt_until_ms is not None:
            self._guides.finished(head.learnt_until_ms)
        self._changed()


def _read(version: int, value: bytes) -> Guide:
    """The guide in a stored value; an error names the key, for it is what to delete."""
    try:
        return decode_guide(value)
    except (Corrupt, NewerSchema) as error:
        raise type(error)(f"model {version} (the key that ends in `guide:{version}`): {error}") from error
