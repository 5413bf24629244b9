"""Which action keeps which customer: a contextual bandit over what the playbook allows. Off unless asked for.

    1. A customer's trial (`trials`) that the team acted upon is booked by segment, first reason and the action taken, and by
       whether the customer stayed. Those held out, and those whom nobody got round to, teach nothing here.
    2. The learner keeps these sums (`Rewards`) and derives, per context (segment and reason) and action, the share that stays:
       Beta-Bernoulli with partial pooling. The prior is worth `POOL` customers; its mean is what context and action are
       known to bring by themselves, added up in log-odds. So a context with few customers leans on the others.
    3. The estimates travel with the guide. For an alert that opens an episode, the play that the playbook ranks first stands,
       until another one that it allows *for this alert* is better with a probability of nine in ten (`SURE_Z`, normal
       approximation): that is the best known.
    4. A bounded share of these alerts, drawn by a hash of the alert's id, tries another allowed play first instead: without
       that, nobody would ever learn about it. The same alert under the same guide gets the same choice, on every worker.

Safe by construction: it reorders what cool-down, budget, cost and do-not-contact have left, and adds nothing. Who was treated
with what was not drawn by lot, except in the explored share; segment and reason take up some of that, not all. Whether acting
helps at all is for the held-out to say (`uplift`), not for this.

River's bandits draw from a random state that every choice moves on; a choice here must be a function of alert and guide.
Partial pooling: Gelman and Hill, "Data analysis using regression and multilevel models", 2007, chapter 12.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from math import exp, log, sqrt
from typing import Any, Final, NamedTuple

import msgspec

from streams.bounds import Finite

RATES: Final = "play_rates"
"""Where the estimates stand in the guide's `extra`: context to action to (mean, standard deviation)."""

ANY: Final = ""
"""Stands for an action, or a context, of which nothing is known by itself."""

POOL: Final = 20.0
SURE_Z: Final = 1.2816
"""A standard normal lies below with a probability of nine in ten."""

Estimate = tuple[Finite, Finite]
Rates = dict[str, dict[str, Estimate]]
Sums = Mapping[tuple[str, str], tuple[int, int]]
"""(context, action) to customers, and to those of them who stayed."""


class Favourite(NamedTuple):
    """The action to suggest first. `share`: what part of such customers it keeps, as far as known; None where it is tried to learn."""

    code: str
    share: float | None


class Learnt(NamedTuple):
    """What a guide knows of the actions, and how much may be tried.

    Attributes:
        rates: see `RATES`.
        exploration: at most this share of the alerts deviates from the best known.
    """

    rates: Mapping[str, Mapping[str, Estimate]]
    exploration: float

    def favourite(self, codes: Sequence[str], context: str, alert_id: str) -> Favourite | None:
        """Return what to suggest first of `codes` (in the playbook's order); None for the playbook's own first choice."""
        if len(codes) < 2:
            return None
        known = self.rates.get(context) or self.rates.get(ANY, {})
        best = codes[0]
        for code in codes[1:]:
            if code in known and _surely_better(known[code], known.get(best) or known[ANY]):
                best = code
        draw = int.from_bytes(blake2b(alert_id.encode(), digest_size=16, person=b"explore").digest())
        if draw >> 64 < self.exploration * 2.0**64:
            others = [code for code in codes if code != best]
            return Favourite(others[(draw & (1 << 64) - 1) % len(others)], None)
        return None if best == codes[0] else Favourite(best, known[best][0])


def _surely_better(one: Estimate, other: Estimate) -> bool:
    return one[0] - other[0] > SURE_Z * sqrt(one[1] ** 2 + other[1] ** 2)


def context_of(segment: str, reason: str) -> str:
    """Return the name of a context.

    >>> context_of("loyal", "price")
    'loyal|price'
    """
    return f"{segment}|{reason}"


def rates_in(extra: Mapping[str, Any]) -> Rates:
    """Return the estimates that a guide carries. What is no such thing counts as nothing known.

    >>> rates_in({}), rates_in({"play_rates": 3})
    ({}, {})
    """
    try:
        rates = msgspec.convert(extra.get(RATES, {}), Rates)
    except msgspec.ValidationError:
        return {}
    return {context: known for context, known in rates.items() if ANY in known}


def estimates(sums: Sums) -> Rates:
    """Return the estimates for every context that is known, each with all actions known; and for one that is not (`ANY`).

    >>> rates = estimates({("loyal|price", "offer"): (400, 240), ("new|price", "call"): (400, 120)})
    >>> sorted(rates), [round(rates["loyal|price"][action][0], 2) for action in ("offer", "call", "")]
    (['', 'loyal|price', 'new|price'], [0.61, 0.44, 0.59])
    """
    if not sums:
        return {}
    total = _added(sums.values())
    overall = (total[1] + 1.0) / (total[0] + 2.0)
    contexts = {name: _added(sum_ for (known, _), sum_ in sums.items() if known == name) for name, _ in sums}
    actions = {name: _added(sum_ for (_, known), sum_ in sums.items() if known == name) for _, name in sums}
    by_action = {action: _posterior(sum_, overall) for action, sum_ in sorted(actions.items())}
    rates: Rates = {ANY: {ANY: _posterior((0, 0), overall)} | by_action}
    for context, sum_ in sorted(contexts.items()):
        mean = _posterior(sum_, overall)[0]
        rates[context] = {ANY: _posterior((0, 0), mean)}
        for action in by_action:
            prior = _share(_odds(mean) + _odds(by_action[action][0]) - _odds(overall))
            rates[context][action] = _posterior(sums.get((context, action), (0, 0)), prior)
    return rates


def _added(sums: Iterable[tuple[int, int]]) -> tuple[int, int]:
    held = list(sums)
    return sum(customers for customers, _ in held), sum(stayed for _, stayed in held)


def _posterior(seen: tuple[int, int], prior: float) -> Estimate:
    """Return mean and standard deviation of a share, after (customers, stayed) were seen under a prior worth `POOL` customers."""
    customers, stayed = seen
    alpha, beta = POOL * prior + stayed, POOL * (1.0 - prior) + customers - stayed
    mean = alpha / (alpha + beta)
    return round(mean, 4), round(sqrt(mean * (1.0 - mean) / (alpha + beta + 1.0)), 4)


def _odds(share: float) -> float:
    held = min(max(share, 0.001), 0.999)
    return log(held / (1.0 - held))


def _share(log_odds: float) -> float:
    return 1.0 / (1.0 + exp(-log_odds))
