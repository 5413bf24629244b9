"""The figures on predictions, against slow and obvious ways of working them out."""

import random
from collections import defaultdict
from itertools import product
from typing import Any

import numpy as np
import pytest

from churnwatch.evaluation import (
    CENSORED,
    Rows,
    Span,
    early_catch,
    figures,
    regulars_who_left,
    riskiest,
    weeks,
)
from streams.time import DAY_MS

WEEK_MS = 7 * DAY_MS


def rows(taken: list[int], customer: list[int], risk: list[float], **fields: Any) -> Rows:
    """Rows of regulars, said by a model and stayed, unless the fields say otherwise."""
    size = len(taken)
    whole: dict[str, Any] = {
        "matured_ms": np.zeros(size, dtype=np.int64),
        "version": np.ones(size, dtype=np.int64),
        "label": np.zeros(size, dtype=np.int64),
        "segment": np.full(size, "loyal"),
        "order_days": np.full(size, 5),
        "silence_days": np.zeros(size),
        "gap_days": np.zeros(size),
        "vectors": np.full(size, b"", dtype=object),
    }
    return Rows(
        names=tuple(f"c{number}" for number in range(max(customer, default=-1) + 1)),
        customer=np.array(customer, dtype=np.int64),
        taken_ms=np.array(taken, dtype=np.int64),
        risk=np.array(risk, dtype=np.float64),
        **(whole | {name: np.array(value) for name, value in fields.items()}),
    )


def slow_auc(risk: list[float], label: list[int]) -> float | None:
    pairs = [
        (up > down) + 0.5 * (up == down)
        for (up, left), (down, came) in product(zip(risk, label, strict=True), repeat=2)
        if left and not came
    ]
    return sum(pairs) / len(pairs) if pairs else None


def slow_lift(risk: list[float], label: list[int]) -> float | None:
    """Of distinct risks in a multiple of ten rows only: then there is no edge to share out."""
    top = sorted(zip(risk, label, strict=True), reverse=True)[: len(risk) // 10]
    return (sum(left for _, left in top) / len(top)) / (sum(label) / len(label)) if sum(label) else None


def mean(values: list[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known)


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_those_of_the_slow_way(seed: int) -> None:
    rng = random.Random(seed)
    by_week: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for week in range(4):
        for _ in range(rng.choice([10, 20, 30])):
            by_week[week].append((rng.random(), int(rng.random() < 0.4)))
    by_week[4] = [(0.5, 1)]  # one class only: no AUC, and a top of less than a row
    flat = [(week, *row) for week, found in by_week.items() for row in found]
    taken, risk, label = (list(column) for column in zip(*flat, strict=True))
    told = figures(np.array(risk), np.array(label), np.array(taken))
    split = [tuple(map(list, zip(*found, strict=True))) for found in by_week.values()]
    assert told["weekly_auc"] == pytest.approx(mean([slow_auc(a, b) for a, b in split]))
    assert told["roc_auc"] == pytest.approx(slow_auc(risk, label))
    assert told["lift_10"] == pytest.approx(mean([*[slow_lift(a, b) for a, b in split[:4]], 1.0]))
    assert told["brier"] == pytest.approx(sum((p - y) ** 2 for p, y in zip(risk, label, strict=True)) / len(risk))
    assert told["examples"] == len(risk)
    assert told["base_rate"] == pytest.approx(sum(label) / len(label))


def test_what_is_no_probability_has_no_losses() -> None:
    told = figures(np.array([3.0, 40.0]), np.array([0, 1]), np.array([0, 0]), probability=False)
    assert (told["log_loss"], told["brier"], told["ece"]) == (None, None, None)
    assert told["roc_auc"] == 1.0


def test_of_nothing_nothing_is_defined() -> None:
    told = figures(np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    assert told.pop("examples") == 0
    assert set(told.values()) == {None}
    assert list(weeks(np.zeros(0, dtype=np.int64))) == []


def test_only_complete_snapshots_of_a_model_in_the_span_are_judged() -> None:
    span = Span(from_ms=WEEK_MS, last_ms=10 * DAY_MS + 3 * WEEK_MS, horizon_ms=10 * DAY_MS, active_ms=DAY_MS)
    found = rows(
        [0, WEEK_MS, WEEK_MS, 2 * WEEK_MS, 3 * WEEK_MS, 4 * WEEK_MS],
        [0, 0, 1, 0, 0, 0],
        [0.5] * 6,
        version=[1, 1, 0, 1, 1, 1],
        label=[0, 1, 1, CENSORED, 0, 1],  # the last is known early, by a cancellation
    )
    assert span.judged(found).tolist() == [False, True, False, False, True, False]
    assert span.complete(found.taken_ms).tolist() == [True] * 5 + [False]


def test_the_riskiest_of_a_week_are_a_share_and_at_least_one() -> None:
    taken = np.array([0] * 20 + [1] * 3)
    risk = np.array([*range(20), 5, 5, 4], dtype=np.float64)
    assert np.flatnonzero(riskiest(risk, taken, 0.1)).tolist() == [18, 19, 20]


def orders(*days: float) -> list[tuple[int, float]]:
    return [(int(day * DAY_MS), 1.0) for day in days]


def test_regulars_who_left_ordered_on_five_days_and_then_no_more() -> None:
    span = Span(50 * DAY_MS, 200 * DAY_MS, 60 * DAY_MS, 90 * DAY_MS)
    placed = {
        "left": orders(1, 2, 3, 4, 60),
        "twice a day": orders(1, 2, 3, 60, 60.1),
        "before": orders(1, 2, 3, 4, 49),
        "too late to tell": orders(1, 2, 3, 4, 141),
        "none": [],
    }
    assert regulars_who_left(placed, span, span.horizon_ms) == {"left": 60 * DAY_MS}
    assert regulars_who_left(placed, span, span.for_good_ms) == {}


def test_a_leaver_is_caught_by_one_week_among_the_riskiest_in_time() -> None:
    """Two regulars a week; c0 left on day 70. The week's riskier one is warned about."""
    days = [35, 42, 70, 98, 105]
    taken = [day * DAY_MS for day in days for _ in range(2)]
    left = {"c0": 70 * DAY_MS}

    def caught(*at: int, days: int = 30) -> float | None:
        risk = [0.9 if (one // DAY_MS in at) is (customer == 0) else 0.1 for one, customer in pairs]
        return early_catch(rows(taken, [customer for _, customer in pairs], risk), np.array(risk), left, days)

    pairs = list(zip(taken, [0, 1] * len(days), strict=True))
    assert caught() == 0.0
    assert caught(35) == 0.0  # too long before
    assert caught(42) == 1.0
    assert caught(98) == 1.0
    assert caught(105) == 0.0
    assert caught(105, days=35) == 1.0
    found = rows([0], [0], [0.5])
    assert early_catch(found, found.risk, {}, 30) is None


def test_who_is_no_regular_yet_is_not_ranked_among_them() -> None:
    found = rows([0, 0], [0, 1], [0.9, 0.1], order_days=[4, 5])
    assert early_catch(found, found.risk, {"c0": 0}, 30) == 0.0
    assert early_catch(found, found.risk, {"c1": 0}, 30) == 1.0
