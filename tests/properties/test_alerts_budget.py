"""Budgets: sums that know no order, thresholds that keep to the budget and move with it."""

from __future__ import annotations

import random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from alerts.budget import WEEK_DAYS, WINDOW_DAYS, BudgetKeeper, choose, crossings, share_out
from alerts.counts import EDGES, StatsBuilder
from alerts.policy import Policy
from alerts.segments import SEGMENTS
from streams.time import DAY_MS

RISKS = st.floats(0, 1)
RISES = st.tuples(st.integers(100, 140), st.sampled_from(["loyal", "new", "rule/loyal"]), RISKS, RISKS)
VALUES = st.tuples(st.integers(100, 140), st.floats(0, 1e12))


def built(rises: list[tuple[int, str, float, float]], values: list[tuple[int, float]]) -> dict[int, Any]:
    stats = StatsBuilder()
    for day, lane, one, other in rises:
        stats.add_rise(day, lane, min(one, other), max(one, other))
    for day, value in values:
        stats.add_value(day, value)
    return stats.take()


@given(st.lists(RISES, max_size=60), st.lists(VALUES, max_size=30), st.randoms(use_true_random=False))
def test_neither_partitions_nor_order_matter(
    rises: list[tuple[int, str, float, float]], values: list[tuple[int, float]], rnd: random.Random
) -> None:
    whole = BudgetKeeper(Policy())
    whole.absorb(0, built(rises, values))
    parts = BudgetKeeper(Policy())
    shuffled = rnd.sample(rises, len(rises))
    cut = rnd.randint(0, len(rises))
    for source, part in enumerate((built(shuffled[cut:], []), built(shuffled[:cut], values))):
        parts.absorb(source, msgspec.msgpack.decode(msgspec.msgpack.encode(part)))
    for day in (115, 125, 141):
        assert parts.at(day * DAY_MS, {}) == whole.at(day * DAY_MS, {})
    assert msgspec.msgpack.encode(parts.dump()) == msgspec.msgpack.encode(whole.dump())


@given(st.lists(RISES, max_size=60), st.integers(100, 141), st.integers(100, 141))
def test_a_round_trip_changes_nothing_that_comes_after(
    rises: list[tuple[int, str, float, float]], stop_day: int, next_day: int
) -> None:
    first, second = BudgetKeeper(Policy()), BudgetKeeper(Policy())
    half = len(rises) // 2
    first.absorb(0, built(rises[:half], []))
    first.at(stop_day * DAY_MS, {})
    second.load(msgspec.msgpack.decode(msgspec.msgpack.encode(first.dump())))
    for keeper in (first, second):
        keeper.absorb(1, built(rises[half:], []))
    later_ms = max(stop_day, next_day) * DAY_MS
    assert first.at(later_ms, {}) == second.at(later_ms, {})
    assert msgspec.msgpack.encode(first.dump()) == msgspec.msgpack.encode(second.dump())


@given(st.lists(st.tuples(RISKS, RISKS), max_size=80), st.floats(0, 50), st.floats(0, 50), RISKS)
def test_the_chosen_edge_keeps_to_the_budget_and_moves_with_it(
    pairs: list[tuple[float, float]], one: float, other: float, floor: float
) -> None:
    changes = built([(100, "loyal", a, b) for a, b in pairs], []).get(100, [{}])[0].get("loyal", {})
    counts = crossings(changes)
    for index, edge in enumerate(EDGES):
        assert counts[index] == sum(min(a, b) < edge <= max(a, b) for a, b in pairs)
    tight, wide = (choose(counts, most, floor) for most in sorted((one, other)))
    assert tight >= wide
    for most, index in zip(sorted((one, other)), (tight, wide), strict=True):
        assert EDGES[index] >= floor
        assert index == len(EDGES) - 1 or max(counts[index:]) <= most


@given(st.integers(0, 60), st.floats(0, 200), st.integers(0, 2**32))
def test_openings_expected_keep_to_the_budget(people: int, budget: float, seed: int) -> None:
    rnd = random.Random(seed)
    policy = Policy(daily_budget=budget, shares={"loyal": 0.5})
    first_day, end_day = 100, 100 + WEEK_DAYS + WINDOW_DAYS
    rises = [(day, "loyal", 0.0, rnd.random()) for day in range(first_day, end_day) for _ in range(people)]
    keeper = BudgetKeeper(policy)
    keeper.absorb(0, built(rises, []))
    keeper.absorb(0, {day: [{}, {}, round(budget)] for day in range(first_day, end_day)})
    derived = keeper.at(end_day * DAY_MS, {})
    # What was opened too few or too many of is made up for, by half the budget at most.
    aim = min(max(2.0 * budget - round(budget), 0.5 * budget), 1.5 * budget)
    threshold = derived["thresholds"]["loyal"]
    assert threshold >= policy.floor("loyal")
    counted = rises[WEEK_DAYS * people :]
    if threshold < 1.0:
        assert sum(risk >= threshold for *_, risk in counted) <= aim * WINDOW_DAYS + 1e-9


RATES = st.lists(st.integers(0, 30), min_size=len(EDGES), max_size=len(EDGES))


@given(st.dictionaries(st.sampled_from(SEGMENTS), st.none() | RATES), st.floats(0, 60), st.integers(0, 2**32))
def test_the_whole_is_shared_out_and_no_more(rates: dict[str, list[float] | None], aim: float, seed: int) -> None:
    """Together they come to the aim at most; who gets less than the share is at the floor, or could not take one edge more."""
    rnd = random.Random(seed)
    shares = {segment: rnd.choice([0.0, 0.1, 0.5, 1.0]) for segment in SEGMENTS} | {"new": 0.25}
    policy = Policy(shares=shares)
    chosen = share_out(rates, aim, policy)
    used = {segment: rate[chosen[segment]] for segment, rate in rates.items() if rate is not None and shares[segment]}
    known = {segment: edge for segment, edge in chosen.items() if segment in used and edge < len(EDGES) - 1}
    assert sum(used[segment] for segment in known) <= aim + 1e-9
    assert all(EDGES[edge] >= policy.floor(segment) for segment, edge in known.items())
    assert all(chosen[segment] == len(EDGES) - 1 for segment in rates if not shares[segment])
    for segment in used:
        rate = rates[segment]
        alone = choose(rate or [], aim * shares[segment] / sum(shares.values()), policy.floor(segment))
        assert chosen[segment] <= alone, "a segment is never left with less than its own share"
