"""One way of scoring, held against the others: how good its risks of the evaluated snapshots were."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnwatch.backtest_summary import Judged
from churnwatch.evaluation import Figures, Floats, early_catch, figures, regulars_who_left


@dataclass(frozen=True, slots=True)
class Contender:
    """How one way of scoring did.

    Attributes:
        risk: its risks of the evaluated rows (`Judged.tested`).
        all, regulars: its figures, over all of them and over those of regulars.
        catch_30, catch_45: of the regulars who left for good, the share caught so many days after the last order.
    """

    risk: Floats
    all: Figures
    regulars: Figures
    catch_30: float | None
    catch_45: float | None


def contend(judged: Judged, risk: Floats, *, probability: bool = True) -> Contender:
    """Judge risks of `judged.said` like our own; where they are NaN (it had not spoken yet) they do not count.

    Args:
        judged: the replay.
        risk: one number a row of `judged.said`, higher for riskier.
        probability: whether they are meant as probabilities; else there are no log loss, Brier score and ECE.
    """
    said, tested = judged.said, judged.tested
    left = regulars_who_left(judged.history.orders, judged.span, judged.span.for_good_ms)
    spoke = np.asarray(~np.isnan(risk))
    rows, known = said.where(spoke), risk[spoke]
    ours = risk[judged.span.judged(said)]
    rated = np.asarray(~np.isnan(ours))
    regular = rated & tested.regular
    return Contender(
        ours,
        figures(ours[rated], tested.label[rated], tested.taken_ms[rated], probability=probability),
        figures(ours[regular], tested.label[regular], tested.taken_ms[regular], probability=probability),
        early_catch(rows, known, left, 30),
        early_catch(rows, known, left, 45),
    )
