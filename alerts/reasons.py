"""Reasons: the model's own contributions, grouped by what they mean, with evidence in words.

    effects of all features (log-odds against the average customer, or the customer's own past)
      1. what did not happen is no reason: outside engagement, a feature at its default is left out
      2. features → topics (`evidence`), topics → families; correlated features cancel within their family
      3. families with a positive sum, largest first; weight = share of all positive sums. Where there is none, as with
         regulars against the average customer, the topics that raise the risk count alone
      4. evidence: the sentences of the family's one or two strongest topics that have something to say

Until the model has seen enough outcomes the rule speaks, with one reason, and the evidence says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from alerts.alert import Code, Reason, figure
from alerts.episode import Basis, Transition
from alerts.evidence import TOPIC_OF, Topic, generic
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


class FeatureEffect(msgspec.Struct, frozen=True):
    """What one feature does to a customer's risk.

    Attributes:
        name: the feature's, as in the catalogue; likewise family, unit and meaning.
        family: the kind of reason it would be.
        contribution: how much it raises the log-odds of churn above those of whatever the caller compares with: the
            average customer, or this one some weeks ago (which tells best what has changed).
        value: the customer's.
        default: the value where nothing happened.
        unit: of the value.
        meaning: one sentence.
    """

    name: str
    family: Code
    contribution: float
    value: float
    default: float = 0.0
    unit: str = ""
    meaning: str = ""


class Silence(msgspec.Struct, frozen=True):
    """How long nothing has been heard, what is usual for this customer (None if unknown), and of what: `order`."""

    days: float
    usual_days: float | None = None
    sign: str = "order"


class Rise(msgspec.Struct, frozen=True):
    """A risk that is alerted for having risen, though its level alone would not do: what it was, and so many days ago."""

    before: float
    days: float


def explain(effects: Sequence[FeatureEffect], quiet: Silence, basis: Basis) -> list[Reason]:
    """Return the reasons why a customer is at risk: one to four, the weightiest first, weights summing to 1 at most.

    Args:
        effects: of all features, in the catalogue's order; not used under the rule.
        quiet: the customer's silence, told under the rule, or where nothing raises the risk above the average.
        basis: what the risk rests on.
    """
    if basis == "rule":
        return [_silent(quiet, " (rule: the model has not seen enough outcomes yet)")]
    return _by_family(effects, quiet) or [_silent(quiet)]


def explain_step(
    transition: Transition,
    effects: Sequence[FeatureEffect],
    quiet: Silence,
    *,
    cancellation: str | None = None,
    rise: Rise | None = None,
) -> list[Reason]:
    """Return the reasons for an alert: why at risk, or why the episode closes.

    Args:
        transition: what the alert is about.
        effects: see `explain`.
        quiet: see `explain`.
        cancellation: the reason that the customer gave when cancelling, if any.
        rise: where it is the change that is alerted; told with the first reason of the alert that opens the episode.
    """
    if transition.cause == "rise":
        found = explain(effects, quiet, transition.basis)
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


def _by_family(effects: Sequence[FeatureEffect], quiet: Silence) -> list[Reason]:
    values = {effect.name: effect.value for effect in effects}
    families = {family: _by_topic(members) for family, members in _grouped(effects).items()}
    sums = {family: math.fsum(effect for effect, _ in topics) for family, topics in families.items()}
    if max(sums.values(), default=0.0) < EFFECT_MIN:
        # All told the customer looks safer than what is compared with, yet stands out among the own segment.
        sums = {family: math.fsum(effect for effect, _ in topics if effect > 0) for family, topics in families.items()}
    raised = math.fsum(total for total in sums.values() if total > 0)
    reasons: list[Reason] = []
    for family in sorted(sums, key=lambda code: (-sums[code], code)):
        if sums[family] < max(EFFECT_MIN, WEIGHT_MIN * raised) or len(reasons) == REASONS_MAX:
            break
        # Rounded down (but for the last bits of a float), so that the weights cannot sum to more than 1.
        weight = math.floor(sums[family] / raised * 10_000 + 1e-6) / 10_000
        evidence, features = _tell(families[family], values)
        if evidence:
            reasons.append(Reason(family, weight, evidence, features))
        elif family == "engagement":
            reasons.append(msgspec.structs.replace(_silent(quiet), weight=weight))
    return reasons


def _grouped(effects: Iterable[FeatureEffect]) -> dict[Code, list[FeatureEffect]]:
    grouped: dict[Code, list[FeatureEffect]] = {}
    for effect in effects:
        if effect.family == "engagement" or effect.value != effect.default:
            grouped.setdefault(effect.family, []).append(effect)
    return grouped


def _by_topic(effects: Sequence[FeatureEffect]) -> list[tuple[float, Topic]]:
    """Return (sum of contributions, topic), the largest first, ties in the catalogue's order."""
    topics: dict[tuple[str, ...], Topic] = {}
    sums: dict[tuple[str, ...], float] = {}
    for effect in effects:
        topic = TOPIC_OF.get(effect.name) or generic(effect.name, effect.meaning, effect.unit)
        topics.setdefault(topic.covers, topic)
        sums[topic.covers] = sums.get(topic.covers, 0.0) + effect.contribution
    return sorted(((sums[covers], topics[covers]) for covers in topics), key=lambda item: -item[0])


def _tell(topics: Sequence[tuple[float, Topic]], values: Mapping[str, float]) -> tuple[str, dict[str, int | float]]:
    """Return the sentences of the strongest topics that have something to say, and the figures in them."""
    sentences: list[str] = []
    features: dict[str, int | float] = {}
    for effect, topic in topics:
        if effect <= 0 or len(sentences) == TOPICS_MAX:
            break
        sentence = topic.says(values) if all(name in values for name in topic.shows) else None
        if sentence is not None:
            first = sentence[0].lower() if sentences else sentence[0].upper()
            sentences.append(first + sentence[1:])
            features.update((name, figure(values[name])) for name in topic.shows)
    return "; ".join(sentences), features
