"""Reasons: the model's own contributions, grouped by what they mean and joined with what the customer said, with evidence in words.

    effects of all features (log-odds against the customer's own past, and against customers like it)
      1. features → topics (`evidence`), topics → families; correlated features cancel within their family (`causes`)
      2. where no family raises the risk, as with regulars against the average, the topics that do count alone
      3. what the customer said and did (`signs`) explains a part of falling engagement, which is how every cause shows
      4. largest family first; weight = share of all that raises the risk
      5. evidence: of the family the one or two strongest signs, then topics, that have something to say

Until the model has seen enough outcomes the rule speaks of the silence, the signs of what they can, and the evidence says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from alerts.alert import Code, Reason, figure
from alerts.causes import FeatureEffect, Share, explained, shares_of
from alerts.episode import Basis, Transition
from alerts.signs import Sign, Values, signs_in
from alerts.wording import number, rose, silence
from streams.time import iso

REASONS_MAX: Final = 4
TOPICS_MAX: Final = 2
WEIGHT_MIN: Final = 0.05
"""A family with less than a twentieth of what raises the risk is not worth anybody's time."""
EFFECT_MIN: Final = 0.05
"""Nor is one with less than this in log-odds, about one point of risk: without the bound a trifle would be the only
reason given for regulars, who look safer than the average in all that matters."""


_CANCELLED: Final[dict[str | None, tuple[Code, str]]] = {
    "price": ("price", "the price"),
    "service": ("service", "the service"),
    "product": ("product", "the product"),
    "competition": ("competition", "a competitor"),
}


class Silence(msgspec.Struct, frozen=True):
    """How long nothing has been heard, what is usual for this customer (None if unknown), and of what: `order`."""

    days: float
    usual_days: float | None = None
    sign: str = "order"


class Rise(msgspec.Struct, frozen=True):
    """A risk that is alerted for having risen, though its level alone would not do: what it was, and so many days ago."""

    before: float
    days: float


def explain(effects: Sequence[FeatureEffect], quiet: Silence, basis: Basis, said: Values | None = None) -> list[Reason]:
    """Return the reasons why a customer is at risk: one to four, the weightiest first, weights summing to 1 at most.

    Args:
        effects: of all features, in the catalogue's order; under the rule their values count alone.
        quiet: the customer's silence, told under the rule, or where nothing raises the risk above the average.
        basis: what the risk rests on.
        said: figures of what the customer said and did, by name, beside the features (`signs`).
    """
    values = {effect.name: effect.value for effect in effects} | dict(said or {})
    signs = signs_in(values)
    if basis == "rule":
        found = _told({"engagement": Share(1.0)}, signs, values, quiet)
        told = f"{found[0].evidence} (rule: the model has not seen enough outcomes yet)"
        return [msgspec.structs.replace(found[0], evidence=told), *found[1:]]
    return _told(shares_of(effects, values), signs, values, quiet) or [_silent(quiet)]


def explain_step(
    transition: Transition,
    effects: Sequence[FeatureEffect],
    quiet: Silence,
    *,
    said: Values | None = None,
    cancellation: str | None = None,
    rise: Rise | None = None,
) -> list[Reason]:
    """Return the reasons for an alert: why at risk, or why the episode closes.

    Args:
        transition: what the alert is about.
        effects: see `explain`.
        quiet: see `explain`.
        said: see `explain`.
        cancellation: the reason that the customer gave when cancelling, if any.
        rise: where it is the change that is alerted; told with the first reason of the alert that opens the episode.
    """
    if transition.kind in ("opened", "escalated"):
        found = explain(effects, quiet, transition.basis, said)
        if rise is not None and transition.kind == "opened":
            told = f"{found[0].evidence}; {rose(rise.before, transition.risk, rise.days)}"
            found[0] = msgspec.structs.replace(found[0], evidence=told)
        return found
    if transition.cause == "gone":
        return [_silent(quiet, "; counts as gone")]
    code: Code = "engagement"
    if transition.cause == "cancelled":
        told = f"Cancelled on {iso(transition.at_ms)[:10]}"
        if cancellation in _CANCELLED:
            code, because = _CANCELLED[cancellation]
            told = f"{told}, because of {because}"
    elif transition.cause == "return":
        told = f"Came back: {quiet.sign} on {iso(transition.at_ms)[:10]}"
    elif transition.cause == "fall":
        told = f"The risk has fallen to {number(transition.risk)}, well below {number(transition.threshold)}"
    else:
        told = "Called a false alarm by the team"
    return [Reason(code, 1.0, told, {})]


def _silent(quiet: Silence, suffix: str = "") -> Reason:
    features = {"order_silence_days": figure(quiet.days)}
    if quiet.usual_days:
        features["gap_mean_days"] = figure(quiet.usual_days)
    return Reason("engagement", 1.0, silence(quiet.days, quiet.usual_days, quiet.sign) + suffix, features)


def _told(shares: Mapping[Code, Share], signs: Sequence[Sign], values: Values, quiet: Silence) -> list[Reason]:
    """Return the families that raise the risk, with their weights and evidence (steps 2 to 5)."""
    raised = {code: share.raised for code, share in shares.items()}
    if max(raised.values(), default=0.0) < EFFECT_MIN:
        # All told the customer looks safer than what is compared with, yet stands out among the own segment.
        raised = {code: math.fsum(much for much, _ in share.topics if much > 0) for code, share in shares.items()}
    if max(raised.values(), default=0.0) < EFFECT_MIN:
        raised = {"engagement": 1.0} if signs else {}
    told = explained(raised, signs)
    whole = math.fsum(much for much in told.values() if much > 0)
    reasons: list[Reason] = []
    for code in sorted(told, key=lambda code: (-told[code], code)):
        if told[code] < max(EFFECT_MIN, WEIGHT_MIN * whole) or len(reasons) == REASONS_MAX:
            break
        # Rounded down (but for the last bits of a float), so that the weights cannot sum to more than 1.
        weight = math.floor(told[code] / whole * 10_000 + 1e-6) / 10_000
        evidence, features = _evidence(code, signs, shares.get(code, Share()), values)
        if evidence:
            reasons.append(Reason(code, weight, evidence, features))
        elif code == "engagement":
            reasons.append(msgspec.structs.replace(_silent(quiet), weight=weight))
    return reasons


def _evidence(code: Code, signs: Sequence[Sign], share: Share, values: Values) -> tuple[str, dict[str, int | float]]:
    """Return the sentences of the strongest signs and topics that have something to say, and the figures in them."""
    sentences: list[str] = []
    features: dict[str, int | float] = {}

    def say(sentence: str, shows: Sequence[str]) -> None:
        first = sentence[0].lower() if sentences else sentence[0].upper()
        sentences.append(first + sentence[1:])
        features.update((name, figure(values[name])) for name in shows)

    for sign in signs:
        if sign.code == code and len(sentences) < TOPICS_MAX:
            say(sign.told, sign.shows)
    for much, topic in share.topics:
        if much <= 0 or len(sentences) == TOPICS_MAX:
            break
        if features.keys() & set(topic.covers):
            continue  # a sign has said so
        sentence = topic.says(values) if all(name in values for name in topic.shows) else None
        if sentence is not None:
            say(sentence, topic.shows)
    return "; ".join(sentences), features
