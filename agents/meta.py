"""What a partition's state says about itself: the offsets that it reflects, its clock, its place in the example topic.

The encoded meta is also the store's fence, so it must change with every commit: `commits` counts them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from streams.errors import Corrupt, NewerSchema, StoreUnavailable
from streams.feed import NO_TIME_MS

META_SCHEMA = 1
UNFINISHED = (
    "a bootstrap has begun to fill this namespace and has not handed it over yet: this worker goes on when it has; "
    "if it was interrupted, run the same `churnwatch bootstrap` again (or use another CHURNWATCH_REDIS_NAMESPACE)"
)


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
    """

    offsets: dict[str, int] = {}
    commits: int = 0
    clock_ms: int = -(1 << 62)
    taken_ms: int = -(1 << 62)
    mark_ms: int = -(1 << 62)
    seq: int = 0
    idle: bool = False
    open_episodes: int = 0
    customers: int = 0
    heard_ms: dict[str, int] = {}
    bootstrap: Literal["", "filling", "full"] = ""

    def check_handed_over(self) -> None:
        """Raise `StoreUnavailable`, for it is to be waited for, while a bootstrap has not handed the partition over."""
        if self.bootstrap:
            raise StoreUnavailable(UNFINISHED)

    def take(self, taken_ms: int, topics: Iterable[str]) -> None:
        """Note a batch: its highest event time (`NO_TIME_MS` where it has none), and the topics that it came from."""
        self.taken_ms = max(self.taken_ms, taken_ms)
        if taken_ms != NO_TIME_MS:
            for topic in topics:
                self.heard_ms[topic] = max(taken_ms, self.heard_ms.get(topic, taken_ms))


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
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Corrupt(f"a partition's meta value cannot be read ({error}): see `churnwatch doctor`") from error


def touched(value: bytes) -> bytes:
    """The same meta as a different value: what another writer leaves so that the running one reads anew."""
    meta = decode_meta(value)
    meta.commits += 1
    return encode_meta(meta)
