import pytest

from models.verdict import VERDICTS, Verdict, judge

GOOD = {
    "recent_examples": 20_000.0,
    "recent_base_rate": 0.6,
    "recent_weekly_auc": 0.71,
    "recent_rule_weekly_auc": 0.55,
    "recent_ece": 0.01,
}


@pytest.mark.parametrize(
    ("changed", "band"),
    [
        ({}, "good"),
        ({"recent_examples": 999.0}, "not_yet_known"),
        ({"recent_base_rate": 0.001}, "not_yet_known"),
        ({"recent_base_rate": 0.999}, "not_yet_known"),
        ({"recent_rule_weekly_auc": 0.70}, "poor"),
        ({"recent_weekly_auc": 0.58, "recent_rule_weekly_auc": 0.5}, "poor"),
        ({"recent_ece": 0.11}, "poor"),
        ({"recent_ece": 0.06}, "fair"),
        ({"recent_rule_weekly_auc": 0.68}, "fair"),
        ({"recent_weekly_auc": 0.63}, "fair"),
    ],
)
def test_the_band_follows_ranking_calibration_and_the_rule(changed: dict[str, float], band: str) -> None:
    verdict = judge(GOOD | changed)
    assert verdict.band == band
    assert verdict.reason.endswith(".")
    assert verdict.reason.count(".") == 1, "one sentence"


def test_before_anything_is_known() -> None:
    assert judge({}) == Verdict()
    assert Verdict().words == "not yet known"


def test_without_the_rule_chance_is_the_floor() -> None:
    figures = {name: value for name, value in GOOD.items() if "rule" not in name}
    assert judge(figures).band == "good"


def test_bands_rise() -> None:
    assert VERDICTS == ("not_yet_known", "poor", "fair", "good")
