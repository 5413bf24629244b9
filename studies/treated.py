"""`make study NAME=treated`: what a model learns where the team treats whom it warns about, by what is made of those examples.

    a shop, week by week      orders and logins of customers who stay, fade or are gone; who fades logs in less, then orders less
      ├─ the treated half     the riskiest tenth is warned about; the team treats those not held out, and truly saves some;
      │                       some it calls false alarms: then it knows better, more often than not
      └─ a twin half          never treated, never learnt from: what would have come, had nobody done anything

A model learns prequentially from the first half, with labels nine weeks late, and is judged on the second: the risks it says of
people whom nobody touches. In each regime it goes its own way, since who is warned about, and so treated, rests on what was learnt.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from churnwatch.terminal import progress, say, say_table
from models.pipeline import ChurnModel

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HORIZON: Final = 9
ACTIVE: Final = 13
WEEKS: Final = 104
JUDGED_FROM: Final = 52
CUSTOMERS: Final = 1_500
REST: Final = 6
"""Weeks before the same customer is warned about again."""

LONG_AGO: Final = -10_000
HELD_OUT: Final = 0.1
TAKEN: Final = (0.65, 0.85)
"""Warnings that the team takes, of customers who would stay and of those who are leaving: it has a nose for them."""

CALLED: Final = (0.3, 0.05)
"""Of those taken, likewise, the ones that it calls false alarms."""

FADES: Final = 0.9
SAVED: Final = 0.35
GIFT: Final = 0.15
"""A treated customer who would have stayed orders at once with this chance: the offer, not the loyalty."""

NAMES: Final = ("silence", "orders_4w", "orders_13w", "orders", "gap", "silence_by_gap", "logins_4w", "logins_before", "tenure")
WEIGHT_MAX: Final = 20.0


@dataclass(frozen=True, slots=True)
class Regime:
    """What is made of the examples that a warning reached.

    Attributes:
        stayed, left: what a treated example of one who stayed, and of one who left, counts.
        called: what the example of a customer called a false alarm counts.
        aftermath: weeks after a warning, without an order since, in which an example is still reached by it.
        stand_in: which untreated ones count more, in place of the treated: the `held` out, or `all`.
        treats: whether the team does anything at all.
    """

    stayed: float = 1.0
    left: float = 1.0
    called: float = 1.0
    aftermath: int = HORIZON
    stand_in: str = ""
    treats: bool = True


REGIMES: Final = {
    "nobody treated": Regime(treats=False),
    "as they are": Regime(),
    "stayers censored": Regime(stayed=0.0),
    "a quarter": Regime(0.25, 0.25, 0.25),
    "censored": Regime(0.0, 0.0, 0.0),
    "censored, untreated count more": Regime(0.0, 0.0, 0.0, stand_in="all"),
    "censored, held-out count more": Regime(0.0, 0.0, 0.0, stand_in="held"),
    "the same, no aftermath": Regime(0.0, 0.0, 0.0, aftermath=0, stand_in="held"),
    "the same, false alarms learnt": Regime(0.0, 0.0, 1.0, stand_in="held"),
}
CHOSEN: Final = "censored, held-out count more"


class Shop:
    """Customers, week by week, drawn from a seed; `orders` and `logins` are (customers, weeks)."""

    def __init__(self, seed: int, customers: int, weeks: int) -> None:
        self._chance = np.random.default_rng(seed)
        self.orders = np.zeros((customers, weeks))
        self.logins = np.zeros((customers, weeks))
        self.born = np.zeros(customers, dtype=np.int64)
        self.fading = np.zeros(customers, dtype=np.int64)
        self.gifts = np.zeros(customers, dtype=bool)
        self._rate = np.zeros(customers)
        self._visits = np.zeros(customers)
        self._hazard = np.zeros(customers)
        self._arrive(np.ones(customers, dtype=bool), 0)

    def _arrive(self, new: Flags, week: int) -> None:
        count = int(new.sum())
        self._rate[new] = self._chance.gamma(1.5, 0.2, count)
        self._visits[new] = self._chance.gamma(2.0, 0.8, count)
        self._hazard[new] = self._chance.beta(1.0, 25.0, count)
        self.born[new], self.fading[new] = week, 0
        self.orders[new, :week], self.logins[new, :week] = 0.0, 0.0
        self.orders[new, week] = 1.0

    def pass_week(self, week: int) -> None:
        """Let a week happen."""
        going = self._chance.random(self.born.size) < self._hazard
        self.fading = np.where(self.fading > 0, self.fading + 1, going.astype(np.int64))
        pace = np.select([self.fading == 0, self.fading <= 4], [1.0, 0.4], 0.0)
        self.orders[:, week] = self._chance.poisson(self._rate * pace) + self.gifts
        self.logins[:, week] = self._chance.poisson(self._visits * np.select([self.fading == 0, self.fading <= 4], [1.0, 0.3], 0.0))
        self.gifts[:] = False
        self._arrive(self.silence(week) > ACTIVE + HORIZON, week)

    def silence(self, week: int) -> NDArray[np.int64]:
        """Return whole weeks since the last order."""
        seen = self.orders[:, : week + 1][:, ::-1] > 0
        return np.where(seen.any(axis=1), seen.argmax(axis=1), week + 1)

    def treat(self, who: Flags) -> None:
        """Do something for customers: some of those who fade stay, some who would have stayed take the gift."""
        drawn = self._chance.random(who.size)
        saved = who & (self.fading > 0) & (self.fading <= REST) & (drawn < SAVED)
        self.fading[saved] = 0
        self.gifts |= saved | (who & (self.fading == 0) & (drawn < GIFT))

    def vectors(self, week: int) -> Floats:
        """Return the features at the end of a week: (customers, features)."""
        silence = self.silence(week).astype(np.float64)
        upto = slice(0, week + 1)
        orders = (self.orders[:, upto] > 0).sum(axis=1)
        tenure = (week - self.born).astype(np.float64)
        gap = (tenure - silence) / np.maximum(orders - 1, 1)
        gap = np.where(orders > 1, gap, 13.0)
        columns = (
            silence, self._sum(self.orders, week, 4), self._sum(self.orders, week, 13), orders, gap, silence / np.maximum(gap, 0.5),
            self._sum(self.logins, week, 4), self._sum(self.logins, week - 4, 4), tenure,
        )
        return np.column_stack(columns)

    @staticmethod
    def _sum(counts: Floats, week: int, weeks: int) -> Floats:
        found: Floats = counts[:, max(week + 1 - weeks, 0) : max(week + 1, 0)].sum(axis=1)
        return found

    def left(self, week: int) -> NDArray[np.int64]:
        """Return who has not ordered in the horizon after a week: 1, else 0."""
        return (self.orders[:, week + 1 : week + 1 + HORIZON].sum(axis=1) == 0).astype(np.int64)


@dataclass(slots=True)
class Asked:
    """The examples of one week, waiting: who was asked, what was said, what was there to see, and what threshold was in force."""

    rows: NDArray[np.int64]
    vectors: Floats
    risks: Floats
    bar: float


class Team:
    """Who is warned about, and what the team does; by customer, the latest week of each, and of a treatment or false alarm."""

    def __init__(self, seed: int, customers: int) -> None:
        self._chance = np.random.default_rng(seed + 1)
        self.held = self._chance.random(customers) < HELD_OUT
        self.warned = np.full(customers, LONG_AGO)
        self.treated = np.full(customers, LONG_AGO)
        self.called = np.full(customers, LONG_AGO)
        self._touched = 0.0
        self._held = 0.0

    def act(self, shop: Shop, asked: Asked, week: int) -> None:
        """Warn about the riskiest tenth; treat or call false what is taken of it."""
        risks = np.zeros(self.held.size)
        risks[asked.rows] = asked.risks
        warned = (risks >= asked.bar) & (week - self.warned > REST)
        self.warned[warned] = week
        stays = shop.fading == 0
        taken = warned & ~self.held & (self._chance.random(self.held.size) < np.where(stays, *TAKEN))
        knows = self._chance.random(self.held.size) < np.where(stays, *CALLED)
        self.called[taken & knows] = week
        treated = taken & ~knows
        self.treated[treated] = week
        shop.treat(treated)

    def weights(self, regime: Regime, shop: Shop, asked: Asked, taken: int) -> Floats:
        """Return what each example of a week counts, its labels just in."""

        def reaches(at: NDArray[np.int64]) -> Flags:
            return reached(at[asked.rows], taken, regime.aftermath, shop.orders[asked.rows])

        warned, treated, called = reaches(self.warned), reaches(self.treated), reaches(self.called)
        labels = shop.left(taken)[asked.rows]
        counts = np.where(treated, np.where(labels == 1, regime.left, regime.stayed), np.where(called, regime.called, 1.0))
        stand_in = warned & (self.held[asked.rows] if regime.stand_in == "held" else counts > 0)
        self._touched = FADES * self._touched + float((1.0 - counts).sum())
        self._held = FADES * self._held + float(stand_in.sum())
        if regime.stand_in and self._held:
            counts[stand_in] *= min(1.0 + self._touched / self._held, WEIGHT_MAX)
        return counts


def reached(at: NDArray[np.int64], taken: int, aftermath: int, orders: Floats) -> Flags:
    """Tell which examples taken in a week were reached by what happened in week `at`.

    It must fall into the horizon, or shortly before it, and no order between the two: one who had ordered again before anything was
    done has answered the question alone, and who has ordered since is another customer than the one who was treated.
    """
    found: Flags = (at >= taken - aftermath) & (at < taken + HORIZON)
    for row in np.flatnonzero(found):
        first, last = sorted((taken, int(at[row])))
        found[row] = not orders[row, first + 1 : last + 1].any()
    return found


def run(regime: Regime, seed: int, customers: int = CUSTOMERS, weeks: int = WEEKS) -> list[tuple[Floats, NDArray[np.int64]]]:
    """Return what was said of the twins and what came of them, by week judged."""
    shop, twins = Shop(seed, customers, weeks + HORIZON + 1), Shop(seed + 7_919, customers, weeks + HORIZON + 1)
    team, model = Team(seed, customers), ChurnModel(NAMES, ("log",) * len(NAMES))
    waiting: dict[int, Asked] = {}
    said: dict[int, Asked] = {}
    judged: list[tuple[Floats, NDArray[np.int64]]] = []
    owed = 0.0
    for week in range(1, weeks):
        shop.pass_week(week)
        twins.pass_week(week)
        said[week] = _ask(model, twins, week)
        waiting[week] = _ask(model, shop, week)
        if model.examples and regime.treats:
            team.act(shop, waiting[week], week)
        then = said.pop(week - HORIZON, None)
        if then is not None and week - HORIZON >= JUDGED_FROM:
            judged.append((then.risks, twins.left(week - HORIZON)[then.rows]))
        asked = waiting.pop(week - HORIZON, None)
        if asked is not None:
            labels = shop.left(week - HORIZON)[asked.rows]
            owed = _learn(model, asked, labels, team.weights(regime, shop, asked, week - HORIZON), week, owed)
    return judged


def _ask(model: ChurnModel, shop: Shop, week: int) -> Asked:
    rows = np.flatnonzero(shop.silence(week) <= ACTIVE)
    vectors = shop.vectors(week)[rows]
    risks = _risks(model, vectors)
    return Asked(rows, vectors, risks, float(np.quantile(risks, 0.9)))


def _risks(model: ChurnModel, vectors: Floats) -> Floats:
    means, logistic, within = model.folded()
    away = np.log1p(vectors) - np.array(means)
    probability = np.clip(within.at_mean + away @ np.array(within.slopes), 0.005, 0.995)
    logits = logistic.at_mean + away @ np.array(logistic.slopes)
    blended: Floats = 1.0 / (1.0 + np.exp(-0.5 * (logits + np.log(probability / (1.0 - probability)))))
    return blended


def _learn(model: ChurnModel, asked: Asked, labels: NDArray[np.int64], counts: Floats, week: int, owed: float) -> float:
    """Teach each example as often as it counts; what is left of a whole time is `owed` to the next, and returned."""
    total = np.floor(owed + np.cumsum(counts) + 1e-9)
    times = np.diff(total, prepend=0.0).astype(np.int64)
    rows = np.repeat(np.arange(labels.size), times)
    model.learn_rows(asked.vectors[rows], labels[rows].tolist(), [week] * rows.size)
    return owed + float(counts.sum()) - float(total[-1])


def figures(told: Sequence[tuple[Floats, NDArray[np.int64]]]) -> dict[str, float]:
    """Return the figures of what was said by week: ranking within weeks, log loss, and said less came, of all and of the riskiest tenth."""
    aucs, gaps = [], []
    for risks, labels in told:
        ranks = risks.argsort().argsort() + 1
        left = int(labels.sum())
        aucs.append((ranks[labels == 1].sum() - left * (left + 1) / 2) / (left * (labels.size - left)))
        top = risks >= np.quantile(risks, 0.9)
        gaps.append((risks[top].mean() - labels[top].mean(), labels[top].mean()))
    risks, labels = (np.concatenate(column) for column in zip(*told, strict=True))
    loss = -np.where(labels == 1, np.log(risks), np.log1p(-risks)).mean()
    over, right = np.mean(gaps, axis=0)
    return {
        "auc": float(np.mean(aucs)),
        "log_loss": float(loss),
        "bias": float(risks.mean() - labels.mean()),
        "top_bias": float(over),
        "top_right": float(right),
    }
