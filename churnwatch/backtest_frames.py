"""What the processes of a backtest say to one another: MessagePack behind its length, over the pipes of a child process.

    parent ->  Setup   Chunk Chunk Guides Chunk Guides … End
    child  <-          Told  Told  Told  …               Rest Rest … Told | Failed

Data only: reading runs no code. The same structs go from hand to hand where there is one process.
"""

from __future__ import annotations

from typing import Any, BinaryIO, Final

import msgspec

from models.labels import ExampleBatch, Pending

LENGTH_BYTES: Final = 4
JOBS_MAX: Final = 256

Line = tuple[int, int, bytes]
"""Place of the stream in `STREAMS`, place of the line in its file from 0, the line."""


class Wants(msgspec.Struct, array_like=True, frozen=True):
    """What is collected besides what the learner needs; everything of it grows with the log.

    Attributes:
        examples: the labelled examples.
        states: every customer's state and wake-up at the end, as they would be stored.
        history: when every customer ordered and cancelled.
        snapshots: what was said at each snapshot and what came of it, in short; also of those still open at the end.
    """

    examples: bool = True
    states: bool = True
    history: bool = False
    snapshots: bool = False


class Setup(msgspec.Struct, array_like=True, tag=True):
    """The first frame: which shard of how many, the settings' fields, the wall clock, a frozen guide (encoded) and what is wanted.

    `careful`: as for `Pipeline.step`.
    """

    number: int
    shards: int
    settings: dict[str, Any]
    now_ms: int
    frozen: bytes | None
    wants: Wants
    careful: bool
    quiet: bool


class Chunk(msgspec.Struct, array_like=True, tag=True):
    """A shard's part of a piece of the log.

    Attributes:
        lines: in the order in which they are to be taken in.
        late: (place in `lines`, the lateness before the whole log's highest event time then) of the lines that come later than that.
        watermark_ms: the whole log's highest event time at the end of the piece.
    """

    lines: list[Line]
    late: list[tuple[int, int]]
    watermark_ms: int


class Guides(msgspec.Struct, array_like=True, tag=True):
    """New guides (encoded, oldest first), and how far the learner has finished."""

    guides: list[bytes]
    finished_ms: int | None


class End(msgspec.Struct, array_like=True, tag=True):
    """The log is over; the clock is to run to here."""

    until_ms: int


class Told(msgspec.Struct, array_like=True, tag=True):
    """What came of a step.

    Attributes:
        batches: examples and counts, for the learner; of a frozen model the examples alone.
        alerts: as they would be published, in any order.
        outcomes: of events; scorings by cause.
        clock_ms: the shard's clock.
        chunks: how many have been taken in since the last `Told`.
        late_ms: where the clock of the whole log was, if this came of a late line; None otherwise.
        over: nothing is left to do; sent once, as the last word.
    """

    batches: list[ExampleBatch]
    alerts: list[bytes]
    outcomes: dict[str, int]
    scorings: dict[str, int]
    clock_ms: int
    chunks: int
    late_ms: int | None = None
    over: bool = False


class Rest(msgspec.Struct, array_like=True, tag=True):
    """What a shard holds at its end of some customers, as far as it is wanted: see `Wants`, and `History` for the last four."""

    states: dict[str, bytes] = {}
    timers: dict[str, int] = {}
    asked: dict[str, list[Pending]] = {}
    names: dict[str, str] = {}
    orders: dict[str, list[tuple[int, float]]] = {}
    signs: dict[str, list[int]] = {}
    cancelled: dict[str, list[int]] = {}


class Failed(msgspec.Struct, array_like=True, tag=True):
    """The shard cannot go on; `stumbled` where it could if it began again, carefully."""

    why: str
    stumbled: bool = False


ToShard = Setup | Chunk | Guides | End
FromShard = Told | Rest | Failed

_encoder: Final = msgspec.msgpack.Encoder()
_to_shard: Final[msgspec.msgpack.Decoder[ToShard]] = msgspec.msgpack.Decoder(ToShard)
_from_shard: Final[msgspec.msgpack.Decoder[FromShard]] = msgspec.msgpack.Decoder(FromShard)


def frame(said: ToShard | FromShard) -> bytes:
    """Return the frame of a message: its length, then itself."""
    payload = _encoder.encode(said)
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload


def from_shard(payload: bytes) -> FromShard:
    """Return what a child says; raises `msgspec.MsgspecError` for anything else."""
    return _from_shard.decode(payload)


def read_frame(pipe: BinaryIO) -> ToShard | None:
    """Return the parent's next message; None where it is gone."""
    length = pipe.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        return None
    size = int.from_bytes(length, "big")
    payload = pipe.read(size)
    return _to_shard.decode(payload) if len(payload) == size else None
