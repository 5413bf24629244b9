"""Everything that is kept of one customer, and how it is written to the store.

One MessagePack value per customer behind one byte of schema version: an older version is migrated when it is read, a newer one refused,
so that a rolled-back worker cannot silently drop what its successor has added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from sys import intern
from typing import Annotated, Final, Literal

import msgspec
from msgspec.structs import asdict, astuple

from agents.written import (
    AlbumLine,
    EpisodeLine,
    Instant,
    TrialLine,
    Word,
    album_line,
    album_of,
    episode_line,
    episode_of,
    instant,
    ms_of,
    suggested_line,
    suggested_of,
    touches_line,
    touches_of,
    trial_line,
    trial_of,
)
from alerts.bands import BANDS, Band
from alerts.episode import Episode
from alerts.trials import Trial
from features.state import Activity
from models.album import EMPTY, SNAPSHOTS_MAX, VECTOR_BYTES_MAX, Album
from models.labels import Pending, Touch
from streams.bounds import Count, Finite, InstantMs, Share
from streams.errors import Corrupt, NewerSchema
from streams.time import DAY_MS

CUSTOMER_SCHEMA: Final = 2


class Attributes(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What the business has told about a customer (the latest Profile event); None where it has not."""

    updated_ms: InstantMs
    segment: str | None = None
    owner: str | None = None
    plan: str | None = None
    annual_value: Finite | None = None
    do_not_contact: bool = False
    signed_up_ms: InstantMs | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether all of it has been taken back (a tombstone)."""
        return self == Attributes(self.updated_ms)


class Customer(msgspec.Struct, array_like=True, gc=False):
    """State of one customer.

    Attributes:
        activity: what the features are computed from.
        pending: snapshots that wait for their label.
        episode: the current or last alert episode.
        attributes: from the customer's profile.
        first_ms: event time of the first record that made this state.
        as_of_ms: event time up to which the customer has been looked at; never goes back.
        wake_ms: the next wake-up.
        risk: risk at the last scoring, 0 to 1.
        band: the band last published on the score topic; empty before the first.
        cancelled_ms: explicit cancellation in force; None where there is none, or the customer came back.
        suggested: action's code to when it was last suggested, for those that still rest (`playbook.remember`).
        trial: the running or last trial, treated against held out; None before the first.
        touches: the latest warnings and treatments, for the snapshots that they reach (`models.labels`).
    """

    activity: Activity
    pending: Album = EMPTY
    episode: Episode = msgspec.field(default_factory=Episode)
    attributes: Attributes | None = None
    first_ms: InstantMs = 0
    as_of_ms: InstantMs = 0
    wake_ms: InstantMs = 0
    risk: Share = 0.0
    band: Band | Literal[""] = ""
    cancelled_ms: InstantMs | None = None
    suggested: dict[str, InstantMs] = {}
    trial: Trial | None = None
    touches: list[Touch] = []

    @property
    def present_ms(self) -> int:
        """The last sign of presence that silence is counted from: an order or login, else the first record."""
        activity = self.activity
        order_ms, login_ms = activity.last_order_ms, activity.last_login_ms
        if order_ms is None:
            return self.first_ms if login_ms is None else login_ms
        return order_ms if login_ms is None or order_ms > login_ms else login_ms

    def reduce_to_profile(self) -> None:
        """Forget everything but what the business has told."""
        self.activity, self.episode = Activity.empty(), Episode()
        self.pending, self.risk, self.band, self.cancelled_ms, self.suggested = EMPTY, 0.0, "", None, {}
        self.trial, self.touches = None, []


class Line(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A `Customer` as it is written. `band` is 0 for none, else a place in `BANDS` and one; no `first_ms`: that of `activity`."""

    activity: Activity
    as_of_ms: Instant
    wake_ms: Instant
    risk: Share
    band: Annotated[int, msgspec.Meta(ge=0, le=len(BANDS))]
    episode: EpisodeLine
    first_ms: InstantMs | None = None
    pending: AlbumLine | None = None
    trial: TrialLine | None = None
    touches: list[Instant] | None = None
    suggested: dict[Instant, list[Word]] | None = None
    attributes: Attributes | None = None
    cancelled_ms: InstantMs | None = None


_PUBLISHED: Final[tuple[Band | Literal[""], ...]] = ("", *BANDS)
_PLACE: Final = {band: place for place, band in enumerate(_PUBLISHED)}
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Line)


def encode_customer(customer: Customer) -> bytes:
    """One byte of schema version, then MessagePack; the same customer always gives the same bytes."""
    activity, pending = customer.activity, customer.pending
    first_ms, risk, trial = customer.first_ms, customer.risk, customer.trial
    since_ms = min(customer.wake_ms, pending.first_ms) if pending.heads else customer.wake_ms
    line = [
        activity,
        instant(customer.as_of_ms),
        instant(customer.wake_ms),
        risk or 0,
        _PLACE[customer.band],
        episode_line(customer.episode, first_ms // DAY_MS, risk, activity.last_order_ms),
        None if first_ms == activity.first_seen_ms else first_ms,
        album_line(pending) if pending.heads else None,
        None if trial is None else trial_line(trial),
        touches_line(customer.touches, since_ms) or None if customer.touches else None,
        suggested_line(customer.suggested) if customer.suggested else None,
        customer.attributes,
        customer.cancelled_ms,
    ]
    while line[-1] is None:
        del line[-1]
    return bytes((CUSTOMER_SCHEMA,)) + _encoder.encode(line)


def _customer(line: Line) -> Customer:
    activity, pending = line.activity, line.pending
    if activity.currency is not None:  # which few shops have two of
        activity.currency = intern(activity.currency)
    first_ms = (activity.first_seen_ms or 0) if line.first_ms is None else line.first_ms
    return Customer(
        activity,
        EMPTY if pending is None else album_of(pending),
        episode_of(line.episode, first_ms // DAY_MS, line.risk, activity.last_order_ms or 0),
        line.attributes,
        first_ms,
        ms_of(line.as_of_ms),
        ms_of(line.wake_ms),
        line.risk,
        _PUBLISHED[line.band],
        line.cancelled_ms,
        suggested_of(line.suggested) if line.suggested else {},
        None if line.trial is None else trial_of(line.trial),
        touches_of(line.touches) if line.touches else [],
    )


class FirstPending(msgspec.Struct, array_like=True, frozen=True):
    """A waiting snapshot as schema 1 wrote it."""

    taken_ms: InstantMs
    vector: Annotated[bytes, msgspec.Meta(max_length=VECTOR_BYTES_MAX)]
    risk: Share
    version: Count
    segment: str


class First(msgspec.Struct, array_like=True, frozen=True):
    """A customer as schema 1 wrote it: field by field, every snapshot whole."""

    activity: Activity
    pending: Annotated[list[FirstPending], msgspec.Meta(max_length=SNAPSHOTS_MAX)] = []
    episode: Episode = msgspec.field(default_factory=Episode)
    attributes: Attributes | None = None
    first_ms: InstantMs = 0
    as_of_ms: InstantMs = 0
    wake_ms: InstantMs = 0
    risk: Share = 0.0
    band: Band | Literal[""] = ""
    cancelled_ms: InstantMs | None = None
    suggested: dict[str, InstantMs] = {}
    trial: Trial | None = None
    touches: list[Touch] = []


_first_decoder = msgspec.msgpack.Decoder(First)


def from_first(payload: bytes) -> bytes:
    """Return what schema 2 writes of a customer that schema 1 has written."""
    first = _first_decoder.decode(payload)
    pending = Album.of(Pending(*astuple(asked)) for asked in first.pending)
    return encode_customer(Customer(**{**asdict(first), "pending": pending}))[1:]


MIGRATIONS: Final[Mapping[int, Callable[[bytes], bytes]]] = {1: from_first}
"""Schema version to the function that turns its payload into the next version's."""


def decode_customer(value: bytes) -> Customer:
    """The customer in a stored value. Only data is read: no code can run.

    Raises:
        NewerSchema: a newer Churnwatch wrote it.
        Corrupt: it is not a customer.
    """
    if not value:
        raise Corrupt("a customer's state is empty: delete the key, and replay the partition to rebuild it")
    schema, payload = value[0], value[1:]
    if schema > CUSTOMER_SCHEMA:
        raise NewerSchema(
            f"a customer's state has schema {schema}, this program knows {CUSTOMER_SCHEMA}: upgrade this worker"
        )
    try:
        while schema < CUSTOMER_SCHEMA:
            if schema not in MIGRATIONS:
                raise Corrupt(f"a customer's state has schema {schema}, which this program never wrote: delete the key")
            payload, schema = MIGRATIONS[schema](payload), schema + 1
        return _customer(_decoder.decode(payload))
    except (msgspec.MsgspecError, ValueError, UnicodeDecodeError, RecursionError) as error:
        raise Corrupt(
            f"a customer's state cannot be read ({error}): delete the key, and replay the partition to rebuild it"
        ) from error
