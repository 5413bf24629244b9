"""Any effects of any features: reasons that can be read, with weights that add up, and the same for the same."""

from __future__ import annotations

import math

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from alerts.causes import FeatureEffect
from alerts.reasons import REASONS_MAX, Silence, explain
from alerts.signs import signs_in
from features.catalog import CATALOG

NUMBERS = st.one_of(st.sampled_from([0.0, 1.0, 3.0]), st.floats(-1e9, 1e9))
EFFECTS = st.lists(st.tuples(NUMBERS, st.floats(-5, 5)), min_size=len(CATALOG), max_size=len(CATALOG)).map(
    lambda drawn: [
        FeatureEffect(
            feature.name, feature.family, effect, value, feature.default, feature.unit, feature.meaning, -effect
        )
        for feature, (value, effect) in zip(CATALOG, drawn, strict=True)
    ]
)
SILENCES = st.builds(Silence, st.floats(0, 500), st.one_of(st.none(), st.floats(0, 500)))


@given(EFFECTS, SILENCES)
def test_reasons_are_whole(effects: list[FeatureEffect], quiet: Silence) -> None:
    for basis in ("model", "rule"):
        reasons = explain(effects, quiet, basis)
        assert 1 <= len(reasons) <= REASONS_MAX
        weights = [reason.weight for reason in reasons]
        assert weights == sorted(weights, reverse=True)
        assert math.fsum(weights) <= 1.0
        assert all(weight > 0.0 for weight in weights)
        assert len({reason.code for reason in reasons}) == len(reasons)
        for reason in reasons:
            assert reason.evidence[0] == reason.evidence[0].upper()
            assert not reason.evidence.endswith(".")
            assert reason.features
            assert "nan" not in reason.evidence
        assert msgspec.json.encode(reasons) == msgspec.json.encode(explain(effects, quiet, basis))


@given(EFFECTS, SILENCES)
def test_a_family_that_lowers_the_risk_and_of_which_nothing_was_said_is_no_reason(
    effects: list[FeatureEffect], quiet: Silence
) -> None:
    lowering = {"service", "product"}
    silent = {name for name in (feature.name for feature in CATALOG) if signs_in({name: 1.0})}
    turned = [
        msgspec.structs.replace(
            effect,
            contribution=-abs(effect.contribution),
            apart=-abs(effect.apart),
            value=effect.default if effect.name in silent else effect.value,
        )
        if effect.family in lowering
        else effect
        for effect in effects
    ]
    assert not {reason.code for reason in explain(turned, quiet, "model")} & lowering
