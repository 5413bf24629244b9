"""Champion and challengers: which blend of the base learners' logits speaks, and when another takes over.

    base learners, taught once   logistic regression        -> logit a
                                 regression within weeks    -> logit b
    a candidate is a recipe      w · a + (1 − w) · b

    mean .5    logistic 1    within 0    stacked: w leans towards who has said better so far, within .25 and .75

`stacked` is the exponentially weighted forecaster of two experts (Cesa-Bianchi and Lugosi, 2006, chapter 2), kept from
betting all on one. It speaks first.

Challengers run in shadow on the same examples: when the labels of a week come in, every candidate is judged by the log
loss of what it would have said when the week was taken, with the base learners as they were then (`shadow`). Weekly
means are what is compared, since the customers of one week share its luck: the difference to the champion is tested as
Diebold and Mariano do (1995), with a variance (Newey and West, 1987) that knows that the horizons of neighbouring weeks
overlap. A challenger takes over if it is better

    by `margin` nats an example    on `labels_min` labels of `WEEKS_MIN` weeks    with t of `T_MIN`    after a rest of `WEEKS_MIN`

The margin works both ways, and the test looks at the latest `WEEKS_MAX` weeks: who has just won is not thrown out by the
next good week of the other. t of 3, for three challengers are looked at every week.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.logits import sigmoid
from models.sketch import MILLION, millionths
from streams.bounds import ClockMs, Count, Finite, Tally

Recipe = Literal["mean", "logistic", "within", "stacked"]
FIXED: Final[dict[str, float]] = {"mean": 0.5, "logistic": 1.0, "within": 0.0}
"""Recipe to the weight of the logistic regression."""

RECIPES: Final[tuple[Recipe, ...]] = ("mean", "logistic", "within", "stacked")
PLACES: Final[dict[str, int]] = {recipe: place for place, recipe in enumerate(RECIPES)}
LEAN: Final = 30.0
"""How far a nat of difference, summed over weeks, moves the logit of stacked's weight."""

LEAN_MIN: Final = 0.25
LEAN_DECAY: Final = 0.98
"""What a week before counts of the one after: what was long ago is forgotten, by half in 34 weeks."""

WARM_UP_WEEKS: Final = 8
"""First weeks judged that do not move stacked's weight: both learners had seen next to nothing but newcomers."""

WEEKS_MIN: Final = 13
WEEKS_MAX: Final = 26
OPEN_MAX: Final = 64
T_MIN: Final = 3.0
T_MAX: Final = 99.0
PROMOTIONS_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Contest:
    """The rules: `promotion` says who decides (the test, an operator by `recipe`, nobody), the rest is in the module's text."""

    promotion: Literal["auto", "manual", "off"] = "auto"
    recipe: Recipe = "stacked"
    margin: float = 0.002
    labels_min: int = 5_000


class Week(msgspec.Struct, array_like=True):
    """Examples taken at one instant: how many, and in millionths the losses of every one of `RECIPES`."""

    examples: Annotated[int, msgspec.Meta(ge=1, le=1 << 48)] = 0
    losses: Annotated[list[Tally], msgspec.Meta(min_length=len(RECIPES), max_length=len(RECIPES))] = msgspec.field(
        default_factory=lambda: [0] * len(RECIPES)
    )

    def loss(self, recipe: str) -> float:
        """Return the mean log loss of a recipe, in nats."""
        return self.losses[PLACES[recipe]] / MILLION / self.examples


class Promotion(msgspec.Struct, array_like=True, frozen=True):
    """A change of champion: at which boundary, who went and who came, and why (`by` the test, or a setting).

    `gain` is in nats an example, over `labels` of `weeks`; 0 where no test was asked.
    """

    at_ms: ClockMs
    before: str
    after: str
    by: Literal["test", "setting"]
    gain: Finite = 0.0
    t: Finite = 0.0
    labels: Count = 0
    weeks: Count = 0

    def __str__(self) -> str:
        """Say who follows whom, and why.

        >>> str(Promotion(0, "mean", "within", "setting"))
        'within after mean, by CHURNWATCH_MODEL_RECIPE'
        """
        if self.by == "setting":
            return f"{self.after} after {self.before}, by CHURNWATCH_MODEL_RECIPE"
        return (
            f"{self.after} after {self.before}, its log loss lower by {self.gain:.4f} nats "
            f"on {self.labels:,} labels of {self.weeks} weeks, t = {self.t:.1f}"
        )


class Trial(msgspec.Struct, array_like=True, frozen=True):
    """How a challenger stands against the champion: by how much it is better, how surely, on what; `wins` if all is met."""

    recipe: Recipe
    gain: Finite
    t: Finite
    labels: Count
    weeks: Count
    wins: bool


class Trials(msgspec.Struct, array_like=True):
    """What is remembered: the champion, the weeks judged (`WEEKS_MAX` closed, `OPEN_MAX` open), the changes so far.

    `closed_ms`: weeks taken up to here are complete. `rest_ms`: those up to here do not count towards the rest.
    `judged` weeks so far; `lead` is by how much the logistic regression's log loss was above the other's, summed over
    those after the first `WARM_UP_WEEKS`, each counting `LEAN_DECAY` of what the next one does.
    """

    champion: Recipe = "stacked"
    weeks: dict[ClockMs, Week] = {}
    closed_ms: ClockMs = -1
    rest_ms: ClockMs = -1
    judged: Count = 0
    lead: Finite = 0.0
    promotions: list[Promotion] = []

    def judge(self, taken_ms: int, logits: NDArray[np.float64], labels: NDArray[np.int64], stacked: float) -> None:
        """Count what candidates would have said of examples taken at one instant.

        Args:
            taken_ms: the instant.
            logits: of the two base learners as of then (n, 2).
            labels: what came (n).
            stacked: the weight that stacked had then.
        """
        week = self.weeks.get(taken_ms)
        if week is None:
            if taken_ms <= self.closed_ms or len(self.weeks) >= WEEKS_MAX + OPEN_MAX:
                return
            week = self.weeks[taken_ms] = Week()
        weights = np.array([FIXED.get(recipe, stacked) for recipe in RECIPES])
        blended = logits[:, :1] * weights + logits[:, 1:] * (1.0 - weights)
        losses = np.logaddexp(0.0, np.where(labels[:, np.newaxis] == 1, -blended, blended))
        week.examples += labels.size
        week.losses = [a + b for a, b in zip(week.losses, millionths(losses).sum(axis=0).tolist(), strict=True)]

    def close(self, taken_ms: int) -> None:
        """Let the weeks taken up to `taken_ms` count: their labels are all in."""
        before_ms, self.closed_ms = self.closed_ms, max(self.closed_ms, taken_ms)
        closed = [at_ms for at_ms in sorted(self.weeks) if at_ms <= self.closed_ms]
        for at_ms in closed:
            if at_ms > before_ms:
                self.judged += 1
                if self.judged > WARM_UP_WEEKS:
                    self.lead *= LEAN_DECAY
                    self.lead += self.weeks[at_ms].loss("logistic") - self.weeks[at_ms].loss("within")
        for old_ms in closed[:-WEEKS_MAX]:
            del self.weeks[old_ms]

    def weight(self) -> float:
        """Return stacked's weight of the logistic regression from now on."""
        return min(max(sigmoid(-LEAN * self.lead), LEAN_MIN), 1.0 - LEAN_MIN)

    def weights(self, recipe: str) -> tuple[float, float]:
        """Return how a recipe blends the logits from now on: the logistic regression's weight, and the other's."""
        weight = FIXED[recipe] if recipe in FIXED else self.weight()
        return weight, 1.0 - weight

    def standings(self, contest: Contest, overlap: int) -> list[Trial]:
        """Return how every challenger stands; `overlap` is how many weeks a horizon reaches into."""
        closed = self._closed()
        if not closed:
            return []
        labels = sum(week.examples for _, week in closed)
        rested = sum(at_ms > self.rest_ms for at_ms, _ in closed) >= WEEKS_MIN
        ready = rested and labels >= contest.labels_min and len(closed) >= WEEKS_MIN
        trials = []
        for recipe in RECIPES:
            if recipe != self.champion:
                gain, t = paired([week.loss(self.champion) - week.loss(recipe) for _, week in closed], overlap)
                wins = ready and gain >= contest.margin and t >= T_MIN
                trials.append(Trial(recipe, gain, t, labels, len(closed), wins))
        return trials

    def decide(self, contest: Contest, boundary_ms: int, overlap: int) -> Promotion | None:
        """Change the champion if the rules say so, and return the change; call it when weeks were closed, or settings read."""
        if contest.promotion != "auto":
            return self._change(contest.recipe, Promotion(boundary_ms, self.champion, contest.recipe, "setting"))
        won = [trial for trial in self.standings(contest, overlap) if trial.wins]
        if not won:
            return None
        best = max(won, key=lambda trial: trial.gain)
        change = Promotion(boundary_ms, self.champion, best.recipe, "test", best.gain, best.t, best.labels, best.weeks)
        return self._change(best.recipe, change)

    def _change(self, recipe: Recipe, change: Promotion) -> Promotion | None:
        if recipe == self.champion:
            return None
        self.champion = recipe
        self.rest_ms = self.closed_ms
        self.promotions = [*self.promotions, change][-PROMOTIONS_MAX:]
        return change

    def _closed(self) -> list[tuple[int, Week]]:
        return [(at_ms, self.weeks[at_ms]) for at_ms in sorted(self.weeks) if at_ms <= self.closed_ms]


def paired(differences: Sequence[float], overlap: int) -> tuple[float, float]:
    """Return the mean of paired weekly differences and its t, allowing for weeks that are alike up to `overlap` apart.

    The long-run variance is weighted after Bartlett, which cannot make it negative, and corrected for short series as
    Harvey, Leybourne and Newbold do (1997) without overlap. t lies within ±99.

    >>> gain, t = paired([0.01, 0.02, 0.01, 0.02], 0)
    >>> round(gain, 3), round(t, 1)
    (0.015, 5.2)
    """
    d = np.asarray(differences, dtype=np.float64)
    count, gain = d.size, float(d.mean())
    away = d - gain
    lags = min(overlap, count // 3)
    variance = float(away @ away) / count
    for lag in range(1, lags + 1):
        variance += 2.0 * (1.0 - lag / (lags + 1)) * float(away[lag:] @ away[:-lag]) / count
    if variance <= 1e-18 or count < 2:
        return gain, T_MAX * float(np.sign(gain)) if count > 1 and abs(gain) > 1e-9 else 0.0
    t = gain / (variance / count) ** 0.5 * ((count - 1) / count) ** 0.5
    return gain, min(max(t, -T_MAX), T_MAX)
