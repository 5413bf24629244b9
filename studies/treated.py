"""`make study NAME=treated`: what a model learns where the team treats whom it warns about, by what is made of those examples.

    a shop, week by week      orders and logins of customers who stay, fade or are gone; who fades logs in less, then orders less
      ├─ the treated half     the riskiest tenth is warned about; the team treats those not held out, and truly saves some;
      │                       some it calls false alarms: then it knows better, more often than not
      └─ a twin half          never treated, never learnt from: what would have come, had nobody done anything

A model learns prequentially, with labels nine weeks late, and is judged on the second half of two years: the risks it says of people
whom nobody touches. In each regime it goes its own way, since who is warned about, and so treated, rests on what was learnt. Held
against is the same shop without a team: what `models.stand_ins` makes of the treated must come closer to it than the two
simple answers, to learn their labels as they are or to leave them out.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from churnwatch.terminal import say, say_table
from models.guide import Scale
from models.labels import HELD_OUT, TREATED, UNTOUCHED, WARNED
from models.pipeline import ChurnModel
from models.stand_ins import StandIns
from studies.treated_shop import ACTIVE, HORIZON, NAMES, Flags, Floats, Shop

Labels = NDArray[np.int64]
Told = list[tuple[Floats, Labels]]

WEEKS: Final = 104
CUSTOMERS: Final = 1_500
SEEDS: Final = 4
REST: Final = 6
"""Weeks before the same customer is warned about again."""

LONG_AGO: Final = -10_000
HELD_SHARE: Final = 0.1
TAKEN: Final = (0.65, 0.85)
"""Warnings that the team takes, of customers who would stay and of those who are leaving: it has a nose for them."""

CALLED: Final = (0.3, 0.05)
"""Of those taken, likewise, the ones that it calls false alarms."""


@dataclass(frozen=True, slots=True)
class Regime:
    """What is made of the examples that a treatment reached.

    Attributes:
        stayed, left: what a treated example of one who stayed, and of one who left, counts.
        called: what the example of a customer called a false alarm counts.
        stand_in: who counts more in place of those left out: the `held` out (as the product has it), or `all` the untreated.
        treats: whether the team does anything at all.
    """

    stayed: float = 1.0
    left: float = 1.0
    called: float = 1.0
    stand_in: Literal["held", "all", ""] = ""
    treats: bool = True


UNTREATED: Final = "nobody treated"
AS_THEY_ARE: Final = "labels as they are"
CENSORED: Final = "left out"
CHOSEN: Final = "left out, the held-out stand in"
REGIMES: Final = {
    UNTREATED: Regime(treats=False),
    AS_THEY_ARE: Regime(),
    "stayers left out": Regime(stayed=0.0),
    "a quarter each": Regime(0.25, 0.25, 0.25),
    CENSORED: Regime(0.0, 0.0, 0.0),
    "left out, all untreated stand in": Regime(0.0, 0.0, 0.0, stand_in="all"),
    CHOSEN: Regime(0.0, 0.0, 0.0, stand_in="held"),
    "the same, false alarms learnt": Regime(0.0, 0.0, 1.0, stand_in="held"),
}
LOGS: Final[list[Scale]] = ["log" for _ in NAMES]
AUC_SLACK: Final = 0.003
LOSS_SLACK: Final = 0.001
"""What the luck of four shops moves them by."""

FIGURES: Final = ("auc", "log_loss", "bias", "top_bias", "top_right")


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
        self.held = self._chance.random(customers) < HELD_SHARE
        self.warned = np.full(customers, LONG_AGO)
        self.treated = np.full(customers, LONG_AGO)
        self.called = np.full(customers, LONG_AGO)
        self._stand_ins = StandIns()
        self._owed = 0.0

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

    def times(self, regime: Regime, shop: Shop, asked: Asked, taken: int) -> Labels:
        """Return how often each example of a week is learnt, its labels just in."""

        def reaches(at: Labels) -> Flags:
            return reached(at[asked.rows], taken, shop.orders[asked.rows])

        warned, treated, called = reaches(self.warned), reaches(self.treated), reaches(self.called)
        if regime.stand_in:
            out = treated | (called if not regime.called else np.zeros_like(called))
            by_lot = self.held[asked.rows] & (regime.stand_in == "held")
            reach = np.select([out, warned & by_lot, warned], [TREATED, HELD_OUT, WARNED], UNTOUCHED)
            return np.array(self._stand_ins.times(reach.tolist()), dtype=np.int64)
        labels = shop.left(taken)[asked.rows]
        counts = np.select([treated & (labels == 1), treated, called], [regime.left, regime.stayed, regime.called], 1.0)
        whole = np.floor(self._owed + np.cumsum(counts) + 1e-9)
        self._owed += float(counts.sum()) - float(whole[-1])
        return np.diff(whole, prepend=0.0).astype(np.int64)


def reached(at: Labels, taken: int, orders: Floats) -> Flags:
    """Tell which examples taken in a week were reached by what happened in week `at`, as `labels.mature` does it.

    It must fall into the horizon, and no order before it: one who had ordered again by then has answered the question alone.
    """
    found: Flags = (at >= taken) & (at < taken + HORIZON)
    for row in np.flatnonzero(found):
        found[row] = not orders[row, taken + 1 : int(at[row]) + 1].any()
    return found


def run(regime: Regime, seed: int, customers: int = CUSTOMERS, weeks: int = WEEKS) -> Told:
    """Return what was said of the twins and what came of them, by week judged."""
    shop, twins = (Shop(each, customers, weeks + 1) for each in (seed, seed + 7_919))
    team, model = Team(seed, customers), ChurnModel(NAMES, LOGS)
    waiting: dict[int, tuple[Asked, Asked]] = {}
    judged: Told = []
    for week in range(1, weeks):
        shop.pass_week(week)
        twins.pass_week(week)
        waiting[week] = _ask(model, shop, week), _ask(model, twins, week)
        if model.examples and regime.treats:
            team.act(shop, waiting[week][0], week)
        taken = week - HORIZON
        if taken in waiting:
            asked, of_twins = waiting.pop(taken)
            if taken >= weeks // 2:
                judged.append((of_twins.risks, twins.left(taken)[of_twins.rows]))
            rows = np.repeat(np.arange(asked.rows.size), team.times(regime, shop, asked, taken))
            labels = shop.left(taken)[asked.rows][rows]
            model.learn_rows(asked.vectors[rows], labels.tolist(), [taken] * rows.size)
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


def figures(told: Told) -> dict[str, float]:
    """Return the figures of what was said by week.

    `auc` within weeks, `log_loss`, `bias` (risk said less share that left), `top_bias` of the riskiest tenth of a week, `top_right`
    the share of that tenth that left.
    """
    aucs, tops = [], []
    for risks, labels in told:
        aucs.append(_auc(risks, labels))
        top = risks >= np.quantile(risks, 0.9)
        tops.append((risks[top].mean() - labels[top].mean(), labels[top].mean()))
    risks, labels = (np.concatenate(column) for column in zip(*told, strict=True))
    loss = -np.where(labels == 1, np.log(risks), np.log1p(-risks)).mean()
    over, right = np.mean(tops, axis=0)
    found = (np.mean(aucs), loss, risks.mean() - labels.mean(), over, right)
    return {name: float(value) for name, value in zip(FIGURES, found, strict=True)}


def _auc(risks: Floats, labels: Labels) -> float:
    ranks, left = risks.argsort().argsort() + 1, int(labels.sum())
    return float((ranks[labels == 1].sum() - left * (left + 1) / 2) / (left * (labels.size - left)))


def compare(seed: int, customers: int = CUSTOMERS, weeks: int = WEEKS) -> dict[str, dict[str, float]]:
    """Return the figures of every regime on the same shop."""
    return {name: figures(run(regime, seed, customers, weeks)) for name, regime in REGIMES.items()}


def holds(found: Mapping[str, Mapping[str, float]]) -> bool:
    """Tell whether the chosen regime says risks closer to those without a team than the simple answers do, and ranks as well."""

    def away(name: str) -> float:
        return abs(found[name]["top_bias"] - found[UNTREATED]["top_bias"])

    closer = away(CHOSEN) < min(away(AS_THEY_ARE), away(CENSORED))
    return (
        closer
        and found[CHOSEN]["log_loss"] <= found[AS_THEY_ARE]["log_loss"] + LOSS_SLACK
        and (found[CHOSEN]["auc"] >= found[AS_THEY_ARE]["auc"] - AUC_SLACK)
    )


def main(arguments: Sequence[str]) -> int:
    """Run the study; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make study NAME=treated", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help="shops (default: %(default)s)")
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    seeds = range(1, asked.seeds + 1)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        runs = []
        for seed, one in zip(seeds, pool.map(compare, seeds), strict=True):
            runs.append(one)
            say(f"shop {seed}: of the riskiest tenth said less came {one[CHOSEN]['top_bias']:+.3f} ({CHOSEN})")
    found = {name: {each: float(np.mean([one[name][each] for one in runs])) for each in FIGURES} for name in REGIMES}
    rows = [(name, *(f"{found[name][each]:.4f}" for each in FIGURES)) for name in REGIMES]
    say_table("What was said of people whom nobody touched", ("regime", *FIGURES), rows)
    told = {name: {each: round(value, 4) for each, value in one.items()} for name, one in found.items()}
    good = holds(found)
    seconds = round(time.monotonic() - began)
    say(json.dumps({"study": "treated", "shops": len(runs), "figures": told, "seconds": seconds, "holds": good}))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
