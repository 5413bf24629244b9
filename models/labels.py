"""From snapshots to labelled examples: the delayed label.

    1. On a snapshot day the pipeline keeps a `Pending` with the customer's state: the vector, the risk as said.
    2. `mature` turns it into an `Example` as soon as the horizon is past, or at once on an explicit cancellation.
    3. Examples travel to the one learner in an `ExampleBatch`, with the sender's mark: "all examples of mine that
       matured up to here have been sent".

The prediction made at the time travels along, so that quality is measured on what was really said (Gama, Sebastião
and Rodrigues, "On evaluating stream learning algorithms", 2013; with delay: Žliobaitė, 2010).

Whom the team has treated answers another question: not what comes of such a customer, but what came of the treatment. So an
example says whether a warning or a treatment *reached* it: fell into its horizon, before the customer had answered by ordering
again. What is made of that is the learner's (`stand_ins`).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from struct import Struct
from typing import Any, Final, Literal

import msgspec

from models.envelope import Envelope
from models.question import Question
from streams.bounds import ClockMs, Count, Day, InstantMs, Share
from streams.errors import Corrupt
from streams.time import day_of

INPUT_MAX: Final = 1e9
"""Largest magnitude of a feature that a model sees; what lies beyond is clipped, so that one absurd amount
(1e300 is a valid number) cannot ruin the running variance of its feature for months."""

BATCH_SCHEMA: Final = 2


class Pending(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A snapshot that waits for its label.

    Attributes:
        taken_ms: when it was taken; midnight UTC, on the question's grid.
        vector: the features then, as `pack_vector` packs them.
        risk: what was said then, 0 to 1.
        version: version of the guide that said it; 0 if the silence rule did.
        segment: the customer's segment then.
    """

    taken_ms: InstantMs
    vector: bytes
    risk: Share
    version: Count
    segment: str


Reach = Literal[0, 1, 2, 3]
UNTOUCHED: Final[Reach] = 0
WARNED: Final[Reach] = 1
HELD_OUT: Final[Reach] = 2
TREATED: Final[Reach] = 3
"""What reached a snapshot: nothing; a warning that nobody did anything about; a warning about one held out; a treatment."""

TOUCHES_MAX: Final = 6


class Touch(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A warning about a customer, or a treatment: when, and `WARNED`, `HELD_OUT` or `TREATED`."""

    at_ms: InstantMs
    reach: Reach


class Example(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A labelled snapshot. `customer` is a pseudonym, `label` 1 for churned and 0 for stayed, `reach` the most that reached it."""

    customer: str
    taken_ms: InstantMs
    matured_ms: InstantMs
    label: int
    risk: Share
    version: Count
    segment: str
    vector: bytes
    reach: Reach = UNTOUCHED


class ExampleBatch(msgspec.Struct, array_like=True, frozen=True):
    """The only message on the example topic.

    Attributes:
        source: the sending input partition.
        partitions: how many input partitions there are.
        seq: rises by one with each batch of a source; a batch seen before is a duplicate.
        mark_ms: all examples of this source with `matured_ms` up to here are in this batch or an earlier one.
        idle: the source has nothing to say for now; it does not hold the others back.
        examples: in any order.
        stats: UTC day to counts of that day that are new since the last batch; opaque here (see `Extra`).
        inputs: likewise, how the features of that day's snapshots are distributed (`input_counts.InputCounts`).
        life: when the source's state began (wall clock, ms); a later life replaces an earlier one, and its `seq` begins anew.
        claim: when the sender opened that state (wall clock, ms, rising from owner to owner).
    """

    source: Count
    partitions: Count
    seq: Count
    mark_ms: ClockMs
    idle: bool = False
    examples: list[Example] = []
    stats: dict[Day, Any] = {}
    inputs: dict[Day, list[int]] = {}
    life: Count = 0
    claim: Count = 0


@lru_cache(maxsize=16)
def _packer(size: int) -> Struct:
    return Struct(f"<{size}f")


def clean(value: float) -> float:
    """Return a finite number within `INPUT_MAX`; 0 for what is not a number.

    >>> clean(float("nan")), clean(float("-inf")), clean(2.5)
    (0.0, -1000000000.0, 2.5)
    """
    if math.isnan(value):
        return 0.0
    return min(max(value, -INPUT_MAX), INPUT_MAX)


def pack_vector(vector: Sequence[float]) -> bytes:
    """Pack features as little-endian 32-bit floats: half the size, and far finer than the data."""
    packer = _packer(len(vector))
    try:
        return packer.pack(*vector)
    except OverflowError:
        return packer.pack(*map(clean, vector))


def unpack_vector(packed: bytes) -> tuple[float, ...]:
    """Return the features packed by `pack_vector`.

    Raises:
        Corrupt: the length is not a multiple of four bytes.
    """
    if len(packed) % 4:
        raise Corrupt(f"a packed vector of {len(packed)} bytes is damaged: drop the message that holds it")
    return _packer(len(packed) // 4).unpack(packed)


def pseudonym(customer_id: str) -> str:
    """Return 16 hex characters that stand for a customer in examples, so that no personal id is kept in them."""
    return hashlib.blake2b(customer_id.encode(), digest_size=8).hexdigest()


def touch(touches: Sequence[Touch], at_ms: int, reach: Reach) -> list[Touch]:
    """Return `touches` (ascending) with another one: each but once, the latest `TOUCHES_MAX`.

    >>> touch([Touch(20, TREATED)], 10, WARNED)
    [Touch(at_ms=10, reach=1), Touch(at_ms=20, reach=3)]
    """
    known = {(one.at_ms, one.reach) for one in touches} | {(at_ms, reach)}
    return [Touch(*one) for one in sorted(known)[-TOUCHES_MAX:]]


def mature(
    pending: Iterable[Pending],
    now_ms: int,
    had_activity: Callable[[int, int], bool],
    cancelled_ms: int | None,
    question: Question,
    customer: str,
    touches: Sequence[Touch] = (),
) -> list[Example]:
    """Turn a customer's snapshots whose label is known at `now_ms`, which are the oldest, into examples.

    Args:
        pending: the waiting snapshots, ascending.
        now_ms: the customer's clock.
        had_activity: tells whether what counts (`question.churn_on`) happened on a UTC day in [first, end).
        cancelled_ms: the customer's explicit cancellation, if any: label 1 for the snapshots whose horizon it
            falls in, matured at the cancellation itself. One between the horizon's end and the day on which the
            label is collected comes too late to be the answer.
        question: the question that the snapshots ask.
        customer: pseudonym to put into the examples.
        touches: the customer's warnings and treatments.

    Returns:
        As many examples as the first of `pending` are answered by, in their order: who was taken later has no earlier answer.
    """
    examples: list[Example] = []
    for asked in pending:
        matures_ms = question.matures_ms(asked.taken_ms)
        end_ms = asked.taken_ms + question.horizon_ms
        if cancelled_ms is not None and asked.taken_ms <= cancelled_ms < end_ms and cancelled_ms <= now_ms:
            reach = _reached(asked.taken_ms, cancelled_ms + 1, touches, had_activity)
            examples.append(_answered(asked, customer, cancelled_ms, 1, reach))
        elif now_ms < matures_ms:
            break
        else:
            first_day = day_of(asked.taken_ms)
            stayed = had_activity(first_day, first_day + question.horizon_days)
            reach = _reached(asked.taken_ms, end_ms, touches, had_activity)
            examples.append(_answered(asked, customer, matures_ms, 0 if stayed else 1, reach))
    return examples


def _reached(taken_ms: int, end_ms: int, touches: Sequence[Touch], had_activity: Callable[[int, int], bool]) -> Reach:
    """Return the most that reached a snapshot: within [taken, end), and on no later day than the first that answers it."""
    most = UNTOUCHED
    for one in touches:
        if (
            one.reach > most
            and taken_ms <= one.at_ms < end_ms
            and not had_activity(day_of(taken_ms), day_of(one.at_ms))
        ):
            most = one.reach
    return most


def _answered(asked: Pending, customer: str, matured_ms: int, label: int, reach: Reach) -> Example:
    said = asked.risk, asked.version, asked.segment
    return Example(customer, asked.taken_ms, matured_ms, label, *said, asked.vector, reach)


_envelope = Envelope(
    ExampleBatch, BATCH_SCHEMA, "a message on the example topic", "skip it, it is no example batch", packed=2
)


def encode_batch(batch: ExampleBatch) -> bytes:
    """Return the message value."""
    return _envelope.encode(batch)


def decode_batch(value: bytes) -> ExampleBatch:
    """Return the batch in a message value.

    Raises:
        NewerSchema: a newer Churnwatch wrote it.
        Corrupt: it is not a batch.
    """
    return _envelope.decode(value)
