"""What a partition's state says about itself: the offsets that it reflects, its clock, its place in the example topic.

The encoded meta is also the store's fence, so it must change with every commit: `commits` counts them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from streams.bounds import NEVER_MS, ClockMs, Count, Tally
from streams.errors import Corrupt, NewerSchema, StoreUnavailable
from streams.feed import NO_TIME_MS

META_SCHEMA = 1
UNFINISHED = (
    "a bootstrap has begun to fill this namespace and has not handed it over yet: this worker goes on when it has; "
    "if it was interrupted, run the same `churnwatch bootstrap` again (or use another CHURNWATCH_REDIS_NAMESPACE)"
)


class Said(msgspec.Struct):
    """What earlier lives of a partition's state have said, as far as it is known (see `agents.lives`).

    Attributes:
        offsets: input topic to the offset up to which everything that follows from the records was acknowledged.
        clock_ms: the partition's clock then: everything that follows from silence up to there was acknowledged.
        life, commits: the latest life, and its commits by then.
    """

    offsets: dict[str, Count] = {}
    clock_ms: ClockMs = NEVER_MS
    life: Count = 0
    commits: Count = 0

    def with_(self, other: Said) -> Said:
        """Return what either of two says."""
        offsets = dict(self.offsets)
        for topic, offset in other.offsets.items():
            offsets[topic] = max(offset, offsets.get(topic, 0))
        latest = max(self, other, key=lambda said: (said.life, said.commits))
        return Said(offsets, max(self.clock_ms, other.clock_ms), latest.life, latest.commits)


class Meta(msgspec.Struct):
    """One partition's bookkeeping.

    Attributes:
        offsets: input topic to the next offset to take in.
        commits: transactions so far; makes every meta different from the one before.
        clock_ms: event time up to which every due wake-up has been handled; never goes back.
        taken_ms: highest event time taken in.
        mark_ms: what the learner was last promised: every example matured up to here has been sent.
        seq: number of the last example batch sent.
        idle: whether the learner was last told not to wait for this partition.
        open_episodes: customers with an open episode.
        customers: customers with state.
        heard_ms: input topic to the latest event time taken in with it.
        bootstrap: how far a bootstrap is that has not handed the partition over yet: it is being filled, or all partitions
            and the learner are full; empty where workers may go on from here.
        life: the wall clock (ms) at which this state began; see `agents.lives`. 0 where nobody has noted it.
        born: the life in which it began from nothing. A later one has gone on from an older state, and does not tell again what
            lives since then have told.
        said: while a lost state is built again, what need not be said again; None otherwise.
        claim: the wall clock at which it was last opened: it tells the batches of one owner from those of another.
        topic_ids: input topic to Kafka's own id of it, which tells it from another one of the same name.
    """

    offsets: dict[str, Count] = {}
    commits: Count = 0
    clock_ms: ClockMs = NEVER_MS
    taken_ms: ClockMs = NEVER_MS
    mark_ms: ClockMs = NEVER_MS
    seq: Count = 0
    idle: bool = False
    open_episodes: Tally = 0
    customers: Tally = 0
    heard_ms: dict[str, ClockMs] = {}
    bootstrap: Literal["", "filling", "full"] = ""
    life: Count = 0
    said: Said | None = None
    topic_ids: dict[str, str] = {}
    claim: Count = 0
    born: Count = 0

    def check_handed_over(self) -> None:
        """Raise `StoreUnavailable`, for it is to be waited for, while a bootstrap has not handed the partition over."""
        if self.bootstrap:
            raise StoreUnavailable(UNFINISHED)

    def take(self, heard_ms: Mapping[str, int], now_ms: int) -> None:
        """Note a batch: the highest event time of each topic; one ahead of the wall says nothing of what lies between."""
        for topic, at_ms in heard_ms.items():
            self.taken_ms = max(self.taken_ms, at_ms)
            self.heard_ms[topic] = max(min(at_ms, now_ms), self.heard_ms.get(topic, NO_TIME_MS))


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Meta)


def encode_meta(meta: Meta) -> bytes:
    """One byte of schema version, then MessagePack."""
    return bytes((META_SCHEMA,)) + _encoder.encode(meta)


def decode_meta(value: bytes) -> Meta:
    """The meta in a stored value; raises `NewerSchema` or `Corrupt`."""
    if value[:1] > bytes((META_SCHEMA,)):
        raise NewerSchema(
            f"the partition's state has schema {value[0]}, this program knows {META_SCHEMA}: upgrade this worker"
        )
    try:
        return _decoder.decode(value[1:])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Corrupt(f"a partition's meta value cannot be read ({error}): see `churnwatch doctor`") from error


def touched(value: bytes) -> bytes:
    """The same meta as a different value: what another writer leaves so that the running one reads anew."""
    meta = decode_meta(value)
    meta.commits += 1
    return encode_meta(meta)
