"""Everything that is kept of one customer, and how it is written to the store.

One MessagePack value per customer behind one byte of schema version: an older version is migrated when it is read, a newer one refused,
so that a rolled-back worker cannot silently drop what its successor has added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from alerts.bands import Band
from alerts.episode import Episode
from alerts.trials import Trial
from features.state import Activity
from models.labels import Pending, Touch
from streams.bounds import Finite, InstantMs, Share
from streams.errors import Corrupt, NewerSchema

CUSTOMER_SCHEMA: Final = 1

MIGRATIONS: Final[Mapping[int, Callable[[bytes], bytes]]] = {}
"""Schema version to the function that turns its payload into the next version's."""


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
    pending: list[Pending] = []
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
        last_ms = self.activity.last_activity_ms
        return self.first_ms if last_ms is None else last_ms

    def reduce_to_profile(self) -> None:
        """Forget everything but what the business has told."""
        self.activity, self.episode = Activity.empty(), Episode()
        self.pending, self.risk, self.band, self.cancelled_ms, self.suggested = [], 0.0, "", None, {}
        self.trial, self.touches = None, []


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Customer)


def encode_customer(customer: Customer) -> bytes:
    """One byte of schema version, then MessagePack; the same customer always gives the same bytes."""
    return bytes((CUSTOMER_SCHEMA,)) + _encoder.encode(customer)


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
    while schema < CUSTOMER_SCHEMA:
        if schema not in MIGRATIONS:
            raise Corrupt(f"a customer's state has schema {schema}, which this program never wrote: delete the key")
        payload, schema = MIGRATIONS[schema](payload), schema + 1
    try:
        return _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Corrupt(
            f"a customer's state cannot be read ({error}): delete the key, and replay the partition to rebuild it"
        ) from error
