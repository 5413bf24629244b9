"""The snapshots of one customer that wait for their labels, in a few dozen bytes each, and exactly.

A week's snapshot differs from the next one in a handful of features, and most of those are small whole numbers: as 32-bit floats, nine
bytes in ten are then as they were. So the newest vector is kept as it is, every older one as what differs from the next (XOR), and of
either only the bytes that are not zero, behind a mask that says which these are; the mask itself is written likewise.

    vector, 292 bytes  ->  mask, 37 bytes, and about 25 that are not zero  ->  mask of the mask, 5 bytes, and about 17 + 25

Newest first, so that the one whose label is known leaves at the end. XOR and masks know nothing of floats: what comes out is what
went in, to the bit, whatever it was. An album is a value: adding and taking away give another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Annotated, Final, NamedTuple

import msgspec
import numpy as np
from msgspec.structs import force_setattr
from numpy.typing import NDArray

from models.labels import Pending
from models.question import Question
from streams.bounds import DAY_MAX
from streams.time import DAY_MS

VECTOR_BYTES_MAX: Final = 4_096
SNAPSHOTS_MAX: Final = 4_096
"""Beyond any horizon and grid that can be set; what is read may be forged."""

VERSION_MAX: Final = (1 << 24) - 1
"""A guide is cut every few days: so many take a hundred thousand years. A greater number, which nobody cut, counts as this one."""

_HEAD: Final = Struct("<dQ")
"""Risk; and in one number the day in the upper bits, 24 bits of version, 16 of the segment's place in `segments`."""

_DAY_BYTES: Final = 3
_DAY_AT: Final = _HEAD.size - _DAY_BYTES

_DIGITS: Final = b"0" + b"1" * 255
VectorSize = Annotated[int, msgspec.Meta(ge=0, le=VECTOR_BYTES_MAX)]
Heads = Annotated[bytes, msgspec.Meta(max_length=_HEAD.size * SNAPSHOTS_MAX)]


class Said(NamedTuple):
    """What stands beside a snapshot's vector; as in `labels.Pending`."""

    taken_ms: int
    risk: float
    version: int
    segment: str


class Album(msgspec.Struct, array_like=True, frozen=True, eq=False, gc=False):
    """Snapshots by the instants at which they were taken (midnights UTC), ascending.

    Whatever passes the check of its lengths is an album of something: nothing that was forged can fail later on.

    Attributes:
        size: bytes of one vector.
        heads: what stands beside the vectors, newest first.
        rows: masks of masks, masks, bytes; each newest first.
        segments: names that the heads refer to.
        newest: the newest vector as it is, once it was asked for: that is done several times in a week's look. Not written.
    """

    size: VectorSize = 0
    heads: Heads = b""
    rows: bytes = b""
    segments: tuple[str, ...] = ()
    newest: bytes = b""

    @property
    def fits(self) -> bool:
        """Whether the lengths fit together: to be asked of what was read."""
        rows, count = self.rows, len(self.heads) // _HEAD.size
        tops_end = count * _octets(_octets(self.size))
        masks_end = tops_end + int.from_bytes(rows[:tops_end]).bit_count()
        end = masks_end + int.from_bytes(rows[tops_end:masks_end]).bit_count()
        return end == len(rows) and len(self.heads) == count * _HEAD.size and not self.newest

    @property
    def written(self) -> tuple[int, bytes, bytes, tuple[str, ...]]:
        """What there is to be written."""
        return self.size, self.heads, self.rows, self.segments

    @classmethod
    def of(cls, snapshots: Iterable[Pending]) -> Album:
        """Return an album of these snapshots, ascending."""
        album = EMPTY
        for snapshot in snapshots:
            album = album.add(snapshot)
        return album

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Album) and self.written == other.written

    def __hash__(self) -> int:
        return hash(self.written)

    def __len__(self) -> int:
        return len(self.heads) // _HEAD.size

    def __bool__(self) -> bool:
        return bool(self.heads)

    def __iter__(self) -> Iterator[Pending]:
        """Give the snapshots, the oldest first; the first costs ten microseconds, the others one each."""
        if self.heads:
            changes = self._unpacked(len(self))
            vector = np.bitwise_xor.reduce(changes, axis=0)
            for place in range(len(self) - 1, -1, -1):
                taken_ms, risk, version, segment = self._said(place)
                yield Pending(taken_ms, vector.tobytes(), risk, version, segment)
                vector ^= changes[place]

    @property
    def first_ms(self) -> int:
        """When the oldest was taken; there must be one."""
        day = int.from_bytes(self.heads[-_DAY_BYTES:], "little")
        return (day if day < DAY_MAX else DAY_MAX) * DAY_MS

    @property
    def latest_ms(self) -> int:
        """When the newest was taken; there must be one."""
        return min(int.from_bytes(self.heads[_DAY_AT : _HEAD.size], "little"), DAY_MAX) * DAY_MS

    @property
    def latest(self) -> Said:
        """What was said with the newest; there must be one."""
        return self._said(0)

    @property
    def first_vector(self) -> bytes:
        """The oldest's vector; there must be one."""
        vector: NDArray[np.uint8] = np.bitwise_xor.reduce(self._unpacked(len(self)), axis=0)
        return vector.tobytes()

    @property
    def latest_vector(self) -> bytes:
        """The newest's vector; there must be one."""
        if not self.newest:
            force_setattr(self, "newest", self._unpacked(1).tobytes())
        return self.newest

    def add(self, snapshot: Pending) -> Album:
        """Return the album with a snapshot in it that is later than all of them.

        Those with another number of features make way: they are of another release, and no model of this one can learn from them.
        """
        vector, segments = snapshot.vector, self.segments
        if not self.heads or len(vector) != self.size:
            parts, heads, segments = _written(vector), b"", ()
        else:
            changed = int.from_bytes(self.latest_vector) ^ int.from_bytes(vector)
            newest, former = _written(vector), _written(changed.to_bytes(self.size))
            rows, width = self.rows, _octets(_octets(self.size))
            tops_end = len(self.heads) // _HEAD.size * width
            mask_end, masks_end = tops_end + _ones(rows[:width]), tops_end + _ones(rows[:tops_end])
            parts = (
                newest[0] + former[0] + rows[width:tops_end],
                newest[1] + former[1] + rows[mask_end:masks_end],
                newest[2] + former[2] + rows[masks_end + _ones(rows[tops_end:mask_end]) :],
            )
            heads = self.heads
        if snapshot.segment not in segments:
            segments = (*segments, snapshot.segment)
            if len(segments) > len(heads) // _HEAD.size + 1:  # some are not referred to any more
                return Album.of([*self, snapshot])
        what = min(snapshot.version, VERSION_MAX) << 16 | segments.index(snapshot.segment)
        head = _HEAD.pack(snapshot.risk, snapshot.taken_ms // DAY_MS << 40 | what)
        return Album(len(vector), head + heads, b"".join(parts), segments, vector)

    def without(self, count: int) -> Album:
        """Return the album without its `count` oldest."""
        left = len(self) - count
        if not count or left <= 0:
            return EMPTY if count else self
        tops_end, masks_end, _ = self._ends(len(self))
        top_end, mask_end, byte_end = self._ends(left)
        rows = self.rows[:top_end] + self.rows[tops_end:mask_end] + self.rows[masks_end:byte_end]
        return Album(self.size, self.heads[: left * _HEAD.size], rows, self.segments, self.newest)

    def _ends(self, count: int) -> tuple[int, int, int]:
        """Where the masks of masks, the masks and the bytes of the `count` newest end in `rows`."""
        width, rows = _octets(_octets(self.size)), self.rows
        top_end, tops_end = count * width, len(self) * width
        mask_end = tops_end + _ones(rows[:top_end])
        masks_end = mask_end if top_end == tops_end else tops_end + _ones(rows[:tops_end])
        return top_end, mask_end, masks_end + _ones(rows[tops_end:mask_end])

    def _unpacked(self, count: int) -> NDArray[np.uint8]:
        """Return the rows of the `count` newest: the newest's vector, then what each older one differs in; (count, size)."""
        mask_size = _octets(self.size)
        tops_end, masks_end, _ = self._ends(len(self))
        written = np.frombuffer(self.rows, np.uint8)
        masks = _spread(written[: count * _octets(mask_size)], written[tops_end:], count, mask_size)
        return _spread(masks.reshape(-1), written[masks_end:], count, self.size)

    def _said(self, place: int) -> Said:
        """What stands beside the vector at a place, counted from the newest."""
        risk, what = _HEAD.unpack_from(self.heads, place * _HEAD.size)
        named = what & 0xFFFF
        return Said(
            _taken_ms(what),
            risk if 0.0 <= risk <= 1.0 else 1.0,
            what >> 16 & VERSION_MAX,
            self.segments[named] if named < len(self.segments) else "",
        )


def unpack_latest(albums: Iterable[Album]) -> None:
    """Unpack the newest vectors of many albums together, for `latest_vector`: that takes a third of the time of one by one.

    Only of those as wide as the first, which all of a release are; what is left is unpacked when it is asked for.
    """
    opened = [album for album in albums if album.heads and not album.newest]
    if not opened:
        return
    size = opened[0].size
    mask_size = _octets(size)
    width = _octets(mask_size)
    opened = [album for album in opened if album.size == size]
    tops, written, kept = bytearray(), bytearray(), bytearray()
    for album in opened:
        rows, tops_end = album.rows, len(album) * width
        tops += rows[:width]
        written += rows[tops_end : tops_end + _ones(rows[:width])]
    masks = _spread(np.frombuffer(tops, np.uint8), np.frombuffer(written, np.uint8), len(opened), mask_size).tobytes()
    for place, album in enumerate(opened):
        rows, tops_end = album.rows, len(album) * width
        masks_end = tops_end + _ones(rows[:tops_end])
        # As many as the mask itself says: one that was forged must not shift what is its neighbour's.
        kept += rows[masks_end : masks_end + _ones(masks[place * mask_size : (place + 1) * mask_size])]
    vectors = _spread(np.frombuffer(masks, np.uint8), np.frombuffer(kept, np.uint8), len(opened), size).tobytes()
    for place, album in enumerate(opened):
        force_setattr(album, "newest", vectors[place * size : place * size + size])


def _taken_ms(what: int) -> int:
    return min(what >> 40, DAY_MAX) * DAY_MS


def _octets(bits: int) -> int:
    return bits + 7 >> 3


def _ones(mask: bytes) -> int:
    return int.from_bytes(mask).bit_count()


def _squeezed(row: bytes) -> tuple[bytes, bytes]:
    """Return which bytes of a row are not zero, a bit each, and those bytes."""
    if not row:
        return b"", b""
    bits = int(row.translate(_DIGITS), 2) << -len(row) % 8
    return bits.to_bytes(_octets(len(row))), row.translate(None, b"\0")


def _written(row: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the mask of the mask, the mask's bytes, the row's bytes."""
    mask, kept = _squeezed(row)
    return *_squeezed(mask), kept


def _spread(masks: NDArray[np.uint8], kept: NDArray[np.uint8], count: int, size: int) -> NDArray[np.uint8]:
    """Return the rows, (count, size), whose masks these are and whose bytes `kept` begins with."""
    chosen = np.unpackbits(masks).view(np.bool_)
    rows = np.zeros(len(chosen), np.uint8)
    rows[chosen] = kept[: np.count_nonzero(chosen)]
    return rows.reshape(count, len(rows) // count)[:, :size]


EMPTY: Final = Album()


def remember(pending: Album, snapshot: Pending, question: Question) -> Album:
    """Return `pending` with the snapshot added: at most one for each instant, at most `question.pending_max`.

    The pipeline calls `labels.mature` first, so the bound can bite only where the settings changed in between; then the new
    snapshot is left out, for the older ones are closer to their labels.
    """
    if pending.heads and (len(pending) >= question.pending_max or pending.latest_ms >= snapshot.taken_ms):
        return pending
    return pending.add(snapshot)


def ripe(pending: Album, now_ms: int, cancelled_ms: int | None, question: Question) -> bool:
    """Tell whether `labels.mature` might find an example: it costs a little, and nearly always there is none."""
    return bool(pending.heads) and (cancelled_ms is not None or now_ms >= question.matures_ms(pending.first_ms))
