"""The port to the learner's store, what lies in it, and its implementation in memory.

One writer, the learner; many readers, the workers. Four things change together in one commit or not at all:

    state     the learner's memory, as `Learner.to_bytes` writes it
    head      small: the offset that the state reflects, how far it has learnt, which guide speaks from when on
    guides    the newest `GUIDES_KEPT`, one value each
    history   figures of the newest `HISTORY_MAX` guides

The head is the fence too: a commit is a compare-and-set on it, so a writer that was replaced is refused.
Beside them, `pinned` is an operator's word: score with this version, whatever is newer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from models.envelope import Envelope
from models.guide import Guide, encode_guide
from streams.bounds import ClockMs, Count, Finite
from streams.errors import Corrupt, FenceLost, StateError

HEAD_SCHEMA: Final = 1

GUIDES_KEPT: Final = 64
"""Guides that can be scored with and rolled back to. In replay nobody needs more than those of the last two epochs."""

HISTORY_MAX: Final = 500

DIGITS_MAX: Final = 15
"""Of a pinned version."""


class Head(msgspec.Struct, array_like=True, frozen=True):
    """How far the learner is; a few hundred bytes.

    Attributes:
        commits: counts the commits, so that no two heads are equal.
        next_offset: first message of the example topic that the state does not reflect.
        learnt_until_ms: event time up to which all is learnt and all guides are cut; None before the first.
        version: of the newest guide; 0 while there is none.
        guides: (boundary_ms, version) of the guides kept, oldest first: each speaks from its boundary on.
        pinned: the version that an operator has pinned. Kept apart: set when read, not with a commit.
        life: the latest life of those that the learner learns from (wall clock, ms); another one means that it has begun anew.
        claim: who has written it (the wall clock at which that learner opened the store, ms). A store that comes back older
            than it was may be written on to by two: what is the same is then not taken for one's own.
    """

    commits: Count = 0
    next_offset: Count = 0
    learnt_until_ms: ClockMs | None = None
    version: Count = 0
    guides: tuple[tuple[ClockMs, Count], ...] = ()
    pinned: Count | None = None
    life: Count = 0
    claim: Count = 0

    def version_at(self, boundary_ms: int) -> int:
        """Return the version that speaks at a boundary: the newest cut by then, 0 for the initial guide.

        Raises:
            StateError: that guide is no longer kept.

        >>> Head(version=2, guides=((10, 1), (20, 2))).version_at(19)
        1
        """
        speaking = [version for cut_ms, version in self.guides if cut_ms <= boundary_ms]
        if not speaking and self.guides and self.guides[0][1] > 1:
            raise StateError(f"the model of {boundary_ms} ms is no longer kept: replay from a fresh state")
        return speaking[-1] if speaking else 0


class Record(msgspec.Struct, array_like=True, frozen=True):
    """A guide in the history: version, event time, labels learnt by then, prequential figures by name, recipe, verdict's band."""

    version: Count
    learnt_until_ms: ClockMs
    examples: Count
    quality: dict[str, Finite]
    recipe: str = "mean"
    band: str = "not_yet_known"


@dataclass(frozen=True, slots=True)
class LearnerCommit:
    """One atomic change.

    Attributes:
        state: the learner's new state.
        next_offset: first message that it does not reflect.
        learnt_until_ms: event time up to which all is learnt; None before the first.
        guides: guides cut since the last commit, oldest first.
        life, claim: see `Head`.
    """

    state: bytes
    next_offset: int
    learnt_until_ms: int | None
    guides: Sequence[Guide] = ()
    life: int = 0
    claim: int = 0


class LearnerStore(Protocol):
    """The learner's store, for its writer (`open`, `commit`) and its readers (all else)."""

    async def open(self) -> tuple[bytes | None, Head]:
        """Claim the store: return state (None if there is none yet) and head, and expect that head from now on.

        Also the way back after `FenceLost`.

        Raises:
            NewerSchema, Corrupt: the head cannot be read.
        """
        ...

    async def commit(self, commit: LearnerCommit) -> Head:
        """Apply the whole commit or nothing, and return the new head.

        Raises:
            FenceLost: the head is not the expected one: another learner has been here. Nothing changed.
            StoreUnavailable: whether it was applied is not known; make the same call again, or `open` to see.
        """
        ...

    async def head(self) -> Head:
        """Return the head, with what is pinned; `Head()` while nothing was committed. Small and quick."""
        ...

    async def guide(self, version: int) -> bytes | None:
        """Return a guide as `guide.encode_guide` wrote it; None if it is not kept."""
        ...

    async def history(self) -> list[Record]:
        """Return the figures of the newest guides, oldest first."""
        ...

    async def set_pinned(self, version: int | None) -> None:
        """Make all workers score with a version that is kept (which then stays kept), or (None) with the newest.

        Raises:
            StateError: that version is not kept.
        """
        ...

    async def wipe(self) -> None:
        """Delete everything."""
        ...

    async def close(self) -> None:
        """Let the connection go. What is stored stays."""
        ...


_head_envelope = Envelope(Head, HEAD_SCHEMA, "the learner's head", "delete the learner's keys to learn anew")
_record_envelope = Envelope(Record, HEAD_SCHEMA, "the models' history", "delete it")


def encode_head(head: Head) -> bytes:
    """Return the head's bytes."""
    return _head_envelope.encode(head)


def decode_head(value: bytes | None, pinned: bytes | None = None) -> Head:
    """Return the head in `value` (`Head()` for None) with the version in `pinned`.

    Raises:
        NewerSchema: a newer Churnwatch wrote it.
        Corrupt: it is not a head, or `pinned` no version.
    """
    head = Head() if value is None else _head_envelope.decode(value)
    if pinned is None:
        return head
    if not pinned.isdigit() or len(pinned) > DIGITS_MAX:
        raise Corrupt("the pinned model is not a version number: pin another, or none")
    return msgspec.structs.replace(head, pinned=int(pinned))


def encode_record(guide: Guide) -> bytes:
    """Return a guide's entry in the history."""
    band = guide.standing.verdict.band
    record = Record(guide.version, guide.learnt_until_ms, guide.examples, guide.quality, guide.recipe, band)
    return _record_envelope.encode(record)


def decode_record(value: bytes) -> Record:
    """Return an entry of the history; raises `NewerSchema` and `Corrupt` like `decode_head`."""
    return _record_envelope.decode(value)


def moved_on(head: Head, commit: LearnerCommit) -> tuple[Head, list[int]]:
    """Return the head after a commit, without the pinned version, and the versions whose guides are to go."""
    guides = (*head.guides, *((guide.learnt_until_ms, guide.version) for guide in commit.guides))
    known = {version for _, version in head.guides}
    kept = guides[-GUIDES_KEPT:]
    gone = [version for _, version in guides[:-GUIDES_KEPT] if version in known and version != head.pinned]
    version = kept[-1][1] if kept else 0
    told = commit.next_offset, commit.learnt_until_ms, version, kept, None, commit.life, commit.claim
    return Head(head.commits + 1, *told), gone


def check_kept(head: Head, version: int) -> None:
    """Raise `StateError` unless the guide of this version is kept."""
    kept = [kept for _, kept in head.guides]
    if version not in kept and version != head.pinned:
        span = f"{kept[0]} to {kept[-1]} are" if kept else "none is"
        raise StateError(f"model {version} is not kept, of all models {span}: see the history for what there was")


@dataclass(slots=True)
class MemoryLearner:
    """What Redis would hold: shared by the stores of a learner, its readers and its successors."""

    state: bytes | None = None
    head: bytes | None = None
    pinned: bytes | None = None
    guides: dict[int, bytes] = field(default_factory=dict)
    history: list[bytes] = field(default_factory=list)


class MemoryLearnerStore:
    """A `LearnerStore` in this process: for the backtest and for tests.

    Args:
        data: what to work on; stores given the same one see each other's changes.
    """

    def __init__(self, data: MemoryLearner | None = None) -> None:
        self._data = MemoryLearner() if data is None else data
        self._expected: bytes | None = None
        self._opened = False

    async def open(self) -> tuple[bytes | None, Head]:
        head = await self.head()
        self._expected = self._data.head
        self._opened = True
        return self._data.state, head

    async def commit(self, commit: LearnerCommit) -> Head:
        data = self._data
        if not self._opened or data.head != self._expected:
            self._opened = False
            raise FenceLost("another learner has taken over: stop, or open the store again and read anew")
        head, gone = moved_on(decode_head(data.head, data.pinned), commit)
        for version in gone:
            data.guides.pop(version, None)
        kept = {version for _, version in head.guides}
        data.guides.update((guide.version, encode_guide(guide)) for guide in commit.guides if guide.version in kept)
        data.history = [*data.history, *map(encode_record, commit.guides)][-HISTORY_MAX:]
        data.state = commit.state
        data.head = self._expected = encode_head(head)
        return decode_head(data.head, data.pinned)

    async def head(self) -> Head:
        return decode_head(self._data.head, self._data.pinned)

    async def guide(self, version: int) -> bytes | None:
        return self._data.guides.get(version)

    async def history(self) -> list[Record]:
        return list(map(decode_record, self._data.history))

    async def set_pinned(self, version: int | None) -> None:
        data = self._data
        head = decode_head(data.head, data.pinned)
        if version is not None:
            check_kept(head, version)
        if head.pinned not in {version, *(kept for _, kept in head.guides)}:
            data.guides.pop(head.pinned or 0, None)
        data.pinned = None if version is None else b"%d" % version

    async def wipe(self) -> None:
        data = self._data
        data.state = data.head = data.pinned = None
        data.guides.clear()
        data.history.clear()

    async def close(self) -> None:
        self._opened = False
