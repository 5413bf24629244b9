"""What a look goes by, in its fast forms, against the plain definitions: the same to the last bit."""

from dataclasses import replace
from math import exp, log
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alerts.bands import BANDS, RANK, Band, band_of, steady_band
from alerts.change import (
    RISE_MAX,
    STALE_FROM,
    STALE_MAX,
    WORTH_MAX,
    lift,
    log_odds,
    own_threshold,
    probability,
    typical_in,
    worth,
)
from alerts.heard import is_heard
from alerts.policy import Policy, threshold_for
from alerts.segments import SEGMENTS, frequent_in, segment_of
from alerts.terms import Terms
from alerts.value import DEFAULT_BUYING, HORIZON_DAYS, PRIOR_ORDERS, Buying, annual_value, buying_in

RISKS = st.floats(0.0, 1.0) | st.sampled_from([0.0, 1e-7, 1e-6, 0.5, 1.0 - 1e-6, 1.0])
AMOUNTS = st.floats(allow_nan=True)
ANYTHING = st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.floats(), max_size=6)
EXTRAS = st.fixed_dictionaries(
    {},
    optional={
        "typical_values": st.lists(st.floats(1e-10, 1e13), min_size=2, max_size=2) | ANYTHING,
        "frequent_days": st.integers(0, 40) | ANYTHING,
        "buying": st.lists(st.floats(0.01, 100.0), min_size=5, max_size=5) | ANYTHING,
        "heard": st.booleans() | ANYTHING,
    },
)
LANES = st.sampled_from([*SEGMENTS, *(f"rule/{segment}" for segment in SEGMENTS)])


def clamped(risk: float) -> float:
    inside = min(max(risk, 1e-6), 1.0 - 1e-6)
    return log(inside / (1.0 - inside))


@given(RISKS)
def test_log_odds(risk: float) -> None:
    assert log_odds(risk) == clamped(risk)


@given(st.floats(-30.0, 30.0))
def test_probability(logit: float) -> None:
    assert probability(logit) == 1.0 / (1.0 + exp(-logit))


@given(RISKS, st.none() | RISKS, st.floats(-10.0, 1e4), st.integers(1, 400))
def test_lift(risk: float, before: float | None, silence_days: float, horizon_days: int) -> None:
    rise = 0.0 if before is None else min(max(clamped(risk) - clamped(before), 0.0), RISE_MAX)
    stale = min(max(silence_days / horizon_days - STALE_FROM, 0.0), 1.0) * STALE_MAX
    assert lift(risk, before, silence_days, horizon_days) == rise - stale


@given(st.floats(0.0, 1e15), st.none() | st.floats(0.0, 1e12))
def test_worth(value: float, typical: float | None) -> None:
    plain = min(max(log(max(value, 1e-9) / typical), -WORTH_MAX), WORTH_MAX) if typical else 0.0
    assert worth(value, typical) == plain


@given(st.integers(0, 10_000), AMOUNTS, AMOUNTS, st.booleans())
def test_annual_value(order_days: int, amount: float, age_days: float, known: bool) -> None:
    buying = Buying(0.7, 50.0, 0.4, 3.0, 30.0) if known else DEFAULT_BUYING
    orders_a_day = (buying.shape + order_days - 1) / (buying.rate_days + max(0.0, age_days))
    spent = max(0.0, amount)
    order = (spent + PRIOR_ORDERS * 30.0) / (order_days + PRIOR_ORDERS) if known else spent / max(order_days, 1)
    plain = orders_a_day * HORIZON_DAYS * order if order_days else 0.0
    found = annual_value(order_days=order_days, amount=amount, age_days=age_days, buying=buying)
    assert repr(found) == repr(plain)  # an absurd amount may come to nothing at all


@given(RISKS, RISKS, st.none() | st.sampled_from(BANDS), st.floats(0.0, 1.0))
def test_steady_band(risk: float, threshold: float, previous: Band | None, hysteresis: float) -> None:
    band = band_of(risk, threshold)
    if previous is not None and RANK[band] < RANK[previous]:
        band = min(previous, band_of(risk + hysteresis, threshold), key=RANK.__getitem__)
    assert steady_band(risk, threshold, previous, hysteresis) == band


@given(
    st.dictionaries(st.sampled_from(SEGMENTS), st.floats(0.0, 1.0)),
    st.sampled_from(["model", "rule"]),
    st.dictionaries(LANES, RISKS),
    st.none() | st.floats(0.0, 1e6),
    EXTRAS,
    st.tuples(st.floats(0.0, 1e4), st.integers(0, 60), st.floats(0.0, 1e7)),
    st.none() | st.sampled_from([*SEGMENTS, "gold"]),
    st.just(0.0) | st.floats(-3.0, 3.0),
)
def test_the_terms_of_a_guide(
    floors: dict[str, float],
    basis: Any,
    thresholds: dict[str, float],
    value_cut: float | None,
    extra: dict[str, Any],
    customer: tuple[float, int, float],
    override: str | None,
    by: float,
) -> None:
    policy = replace(Policy(), floors=floors)
    terms = Terms(policy, basis, thresholds, value_cut, extra)
    assert (terms.basis, terms.heard, terms.buying) == (basis, is_heard(extra), buying_in(extra))
    tenure_days, order_days, value = customer
    segment = segment_of(
        tenure_days=tenure_days,
        order_days=order_days,
        value=value,
        value_cut=value_cut,
        frequent_days=frequent_in(extra),
        override=override,
    )
    lane = terms.lane(tenure_days=tenure_days, order_days=order_days, value=value, override=override)
    assert lane.segment == segment
    assert lane.threshold == threshold_for(thresholds, segment, basis, policy)
    assert lane.typical == (typical_in(extra, segment) if basis == "model" else None)
    assert lane.level(by) == own_threshold(lane.threshold, by, 1.0, policy.floor(segment))
