"""What a learner remembers, and how it is written down: data only, with a schema version."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from models.block import Waiting
from models.envelope import Envelope
from models.examiner import Exam

LEARNER_SCHEMA: Final = 2


class Source(msgspec.Struct, array_like=True):
    """What is known of one source: last sequence number, mark (epoch ms), and whether it is idle."""

    seq: int
    mark_ms: int
    idle: bool


class Counters(msgspec.Struct, array_like=True):
    """What has happened to batches and examples since the learner's first day.

    Attributes:
        examples: labels learnt.
        churned: those of them that were 1.
        duplicates: batches dropped for having been seen.
        gaps: sequence numbers that never came.
        late: examples that came after their place in the order had been learnt; they are learnt all the same.
        early: examples learnt before their place, for too many were waiting.
        damaged: examples, and batches' statistics, that made no sense and were left out.
    """

    examples: int = 0
    churned: int = 0
    duplicates: int = 0
    gaps: int = 0
    late: int = 0
    early: int = 0
    damaged: int = 0


class LearnerState(msgspec.Struct, array_like=True):
    """A learner's memory but for the model and the extra, which know how to write themselves.

    Attributes:
        partitions: how many sources there are; 0 before the first batch.
        sources: what is known of each.
        waiting: heap of the examples that wait for the other sources' marks.
        first_ms: earliest instant that anything was heard of.
        learnt_until_ms: all boundaries up to here are done.
        version: of the newest guide.
        learnt_since_cut: whether an example was learnt since.
        last_extra: what the extra said for it, encoded.
        counters: what has happened.
        exam: what was said, and how it turned out.
    """

    partitions: int = 0
    sources: dict[int, Source] = {}
    waiting: list[Waiting] = []
    first_ms: int | None = None
    learnt_until_ms: int | None = None
    version: int = 0
    learnt_since_cut: bool = False
    last_extra: bytes = b""
    counters: Counters = msgspec.field(default_factory=Counters)
    exam: Exam = msgspec.field(default_factory=Exam)


class Saved(msgspec.Struct, array_like=True, frozen=True):
    """Everything: the model as `snapshot.dump_model` writes it, the extra's own plain data, and the rest."""

    model: bytes
    extra: Any
    state: LearnerState


_envelope = Envelope(Saved, LEARNER_SCHEMA, "the learner's state", "delete it to learn anew", oldest=LEARNER_SCHEMA)


def encode_saved(saved: Saved) -> bytes:
    """Return its bytes: a few hundred kB, and 350 bytes per waiting example."""
    return _envelope.encode(saved)


def decode_saved(value: bytes) -> Saved:
    """Return what `encode_saved` wrote.

    Raises:
        NewerSchema: a newer Churnwatch wrote it.
        Corrupt: it is not a learner's state.
    """
    return _envelope.decode(value)
