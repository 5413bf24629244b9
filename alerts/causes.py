"""Causes: how much of what raises a risk each family has to do with.

1. the model's contributions by family: engagement against the customer's own past, the others against that or against
   customers like it, whichever says more: a complaint older than the past that is looked back to is no news, but no less a complaint
2. what counts tickets and ratings as such goes to the families that they were about
3. falling engagement is how every cause shows. The part of it that the signs explain goes to their families: with signs
   and contributions of L log-odds together, 1 - exp(-L) of it, the attributable fraction of epidemiology (Levin, 1953;
   (odds ratio - 1) / odds ratio); the rest is plain disengagement
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, fsum
from typing import Final

import msgspec

from alerts.alert import Code
from alerts.evidence import TOPIC_OF, Topic, generic
from alerts.signs import Sign

Values = Mapping[str, float]

_TICKETS_AS_SUCH: Final = (
    *("tickets_30d", "tickets_90d", "open_tickets", "open_ticket_age_days", "severe_tickets_90d"),
    *("slow_tickets_90d", "resolve_days_90d"),
)
_TICKETS_ABOUT: Final[dict[str, Code]] = {
    "billing_tickets_90d": "price",
    "service_tickets_90d": "service",
    "product_tickets_90d": "product",
    "leaving_tickets_90d": "competition",
}
_RATINGS_AS_SUCH: Final = ("rating_90d", "rating_trend_90d", "nps_180d")
_RATINGS_ABOUT: Final[dict[str, Code]] = {
    "price_complaints_90d": "price",
    "service_complaints_90d": "service",
    "product_complaints_90d": "product",
    "rival_complaints_90d": "competition",
}


class FeatureEffect(msgspec.Struct, frozen=True):
    """What one feature does to a customer's risk.

    Attributes:
        name: the feature's, as in the catalogue; likewise family, unit and meaning.
        family: the kind of reason it would be.
        contribution: how much it raises the log-odds of churn above those of this customer some weeks ago, which tells
            best what has changed; where there is no such past, above those of customers like it.
        value: the customer's.
        default: the value where nothing happened.
        unit: of the value.
        meaning: one sentence.
        apart: how much it raises them above those of customers like it, whatever the past.
    """

    name: str
    family: Code
    contribution: float
    value: float
    default: float = 0.0
    unit: str = ""
    meaning: str = ""
    apart: float = 0.0


@dataclass(slots=True)
class Share:
    """What a family raises the risk by, in log-odds, and its topics with theirs, the largest first."""

    raised: float = 0.0
    topics: list[tuple[float, Topic]] = field(default_factory=list)


def shares_of(effects: Sequence[FeatureEffect], values: Values) -> dict[Code, Share]:
    """Return the families by the model's contributions alone (steps 1 and 2)."""
    tickets, ratings = _about(_TICKETS_ABOUT, values), _about(_RATINGS_ABOUT, values)
    sums: dict[Code, dict[tuple[str, ...], tuple[Topic, list[float], list[float]]]] = {}
    for effect in effects:
        if effect.family != "engagement" and effect.value == effect.default:
            continue  # what did not happen is no reason
        parts: Mapping[Code, float] = {effect.family: 1.0}
        if effect.name in _TICKETS_AS_SUCH:
            parts = tickets or parts
        elif effect.name in _RATINGS_AS_SUCH:
            parts = ratings or parts
        topic = TOPIC_OF.get(effect.name) or generic(effect.name, effect.meaning, effect.unit)
        for code, part in parts.items():
            _, past, apart = sums.setdefault(code, {}).setdefault(topic.covers, (topic, [], []))
            past.append(part * effect.contribution)
            apart.append(part * (effect.contribution if code == "engagement" else effect.apart))
    return {code: _share(list(topics.values())) for code, topics in sums.items()}


def explained(raised: Mapping[Code, float], signs: Sequence[Sign]) -> dict[Code, float]:
    """Return what each family raises the risk by once the signs have explained what they can of falling engagement (step 3).

    >>> told = explained({"engagement": 1.0}, [Sign("price", 1.2, "2 tickets on billing", ())])
    >>> {code: round(much, 2) for code, much in told.items()}
    {'engagement': 0.3, 'price': 0.7}
    """
    lifts: dict[Code, float] = {code: much for code, much in raised.items() if code != "engagement" and much > 0}
    for sign in signs:
        lifts[sign.code] = lifts.get(sign.code, 0.0) + sign.lift
    whole, disengaged = fsum(lifts.values()), max(raised.get("engagement", 0.0), 0.0)
    told = dict(raised)
    if whole > 0 and disengaged:
        told["engagement"] = disengaged * exp(-whole)
        for code, lift in lifts.items():
            told[code] = max(raised.get(code, 0.0), 0.0) + disengaged * (1 - exp(-whole)) * lift / whole
    return told


def _share(topics: Sequence[tuple[Topic, list[float], list[float]]]) -> Share:
    by_past = [(fsum(past), topic) for topic, past, _ in topics]
    by_peers = [(fsum(apart), topic) for topic, _, apart in topics]
    told = max(by_past, by_peers, key=lambda sums: fsum(much for much, _ in sums))
    return Share(fsum(much for much, _ in told), sorted(told, key=lambda item: -item[0]))


def _about(kinds: Mapping[str, Code], values: Values) -> dict[Code, float]:
    """Return family to its part of what is counted, summing to 1; nothing where nothing of it is known."""
    counts = {code: values.get(name, 0.0) for name, code in kinds.items() if values.get(name, 0.0) > 0}
    whole = fsum(counts.values())
    return {code: count / whole for code, count in counts.items()}
