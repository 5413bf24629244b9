"""The alert, to the letter of the published format: field names, their order, and the bytes.

The same alert gives the same bytes: fields in declared order, keys of `features` sorted, figures rounded to four
digits (amounts to two), whole numbers written as such. A redelivery is therefore byte for byte the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from alerts.bands import Raised
from alerts.episode import Basis, Kind, Transition
from alerts.value import HORIZON_DAYS, at_risk
from streams.errors import Corrupt, NewerSchema
from streams.time import iso

SCHEMA_VERSION: Final = 1

Code = Literal["engagement", "price", "service", "product", "competition"]
CODES: Final[tuple[Code, ...]] = ("engagement", "price", "service", "product", "competition")


class ValueAtRisk(msgspec.Struct, frozen=True):
    """The spend of `horizon_days` that is expected to be lost; `currency` is null where no order stated one."""

    amount: float
    currency: str | None
    horizon_days: int = HORIZON_DAYS


class Reason(msgspec.Struct, frozen=True):
    """Why: what kind of reason, its share of what raises the risk (0 to 1), in words, and the figures behind."""

    code: Code
    weight: float
    evidence: str
    features: dict[str, int | float]


class Action(msgspec.Struct, frozen=True):
    """What to do about it, and why that."""

    code: str
    title: str
    why: str


class ModelStamp(msgspec.Struct, frozen=True):
    """Who said so: `rule-…` while the model has not seen enough; `examples` is how many it had learnt from."""

    version: str
    examples: int


class Trigger(msgspec.Struct, frozen=True):
    """What set it off: an event, with its place in the log, or silence (a wake-up), with nulls instead."""

    kind: Literal["event", "silence"]
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None


class Alert(msgspec.Struct, frozen=True):
    """One message on the alerts' topic.

    `raised_at` is on the customer's clock. `threshold` is what the episode was opened under, `band` the highest that it
    has reached. `reasons` are ordered by weight; `actions` by rank, and empty for customers held out of treatment.
    """

    schema_version: int
    alert_id: str
    episode_id: str
    customer_id: str
    kind: Kind
    raised_at: str
    risk: float
    threshold: float
    band: Raised
    segment: str
    value_at_risk: ValueAtRisk
    reasons: list[Reason]
    actions: list[Action]
    holdout: bool
    model: ModelStamp
    trigger: Trigger


SILENCE: Final = Trigger("silence")


def figure(value: float) -> int | float:
    """Return a number as it stands in an alert: four digits, and whole where it is whole.

    >>> figure(2.0), figure(1 / 3)
    (2, 0.3333)
    """
    rounded = round(value, 4)
    return int(rounded) if rounded == int(rounded) else rounded


def model_stamp(basis: Basis, version: int, examples: int) -> ModelStamp:
    """Return who speaks: the model of that version, or the rule.

    >>> model_stamp("rule", 0, 12).version, model_stamp("model", 7, 3000).version
    ('rule-0', '7')
    """
    return ModelStamp(f"rule-{version}" if basis == "rule" else str(version), examples)


def build(
    transition: Transition,
    *,
    annual_value: float,
    currency: str | None,
    reasons: Sequence[Reason],
    actions: Sequence[Action],
    model: ModelStamp,
    trigger: Trigger,
) -> Alert:
    """Return the alert for a transition.

    Args:
        transition: what `decide` or `outcomes.apply_outcome` returned.
        annual_value: expected spend of the customer in 365 days.
        currency: ISO 4217 code, None where unknown.
        reasons: see `reasons`.
        actions: see `playbook`; left out for customers held out of treatment, whatever is passed.
        model: see `model_stamp`.
        trigger: the event that set it off, or `SILENCE`.
    """
    return Alert(
        schema_version=SCHEMA_VERSION,
        alert_id=transition.alert_id,
        episode_id=transition.episode_id,
        customer_id=transition.customer_id,
        kind=transition.kind,
        raised_at=iso(transition.at_ms),
        risk=round(transition.risk, 4),
        threshold=round(transition.threshold, 4),
        band=transition.band,
        segment=transition.segment,
        value_at_risk=ValueAtRisk(round(at_risk(annual_value, transition.risk), 2), currency),
        reasons=list(reasons),
        actions=[] if transition.holdout else list(actions),
        holdout=transition.holdout,
        model=model,
        trigger=trigger,
    )


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Alert)


def encode(alert: Alert) -> bytes:
    """Return the message's value: UTF-8 JSON, the same bytes for the same alert."""
    return _encoder.encode(alert)


def decode(value: bytes) -> Alert:
    """Return the alert in a message's value; unknown fields are ignored.

    Raises:
        NewerSchema: a newer Churnwatch wrote it in a format that this one does not know.
        Corrupt: it is not an alert.
    """
    try:
        alert = _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Corrupt(f"a message on the alerts' topic is not an alert ({error}): skip it") from error
    if alert.schema_version > SCHEMA_VERSION:
        raise NewerSchema(
            f"an alert has schema {alert.schema_version}, this program knows {SCHEMA_VERSION}: upgrade it"
        )
    return alert
