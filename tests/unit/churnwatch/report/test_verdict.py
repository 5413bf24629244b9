"""The verdict in words: for every band, and from the harder of the two floors of silence."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from churnwatch.report.story import OURS, RECENCY, SILENCE, Story
from churnwatch.report.verdict import MEANING, headline
from models.verdict import VERDICTS


def story(examples: int, ours: float | None, rule: float | None, days: float | None, ece: float | None = 0.01) -> Story:
    def contender(auc: float | None) -> Any:
        return SimpleNamespace(all={"weekly_auc": auc, "ece": ece})

    told = {"quality": {"examples": examples, "base_rate": 0.5 if examples else None}}
    contenders = {OURS: contender(ours), SILENCE: contender(rule), RECENCY: contender(days)}
    return cast("Story", SimpleNamespace(told=told, contenders=contenders))


@pytest.mark.parametrize(
    ("told", "band"),
    [
        (story(0, None, None, None, None), "Not yet known"),
        (story(200, 0.8, 0.5, 0.6), "Not yet known"),
        (story(90_000, 0.72, 0.48, 0.59), "Good"),
        (story(90_000, 0.72, 0.48, 0.71), "Poor"),
        (story(90_000, 0.72, 0.71, 0.48), "Poor"),
        (story(90_000, 0.72, None, None, 0.2), "Poor"),
        (story(90_000, 0.64, 0.5, 0.59), "Fair"),
    ],
)
def test_the_headline_is_the_band_that_the_live_system_would_show(told: Story, band: str) -> None:
    assert headline(told).startswith(f"{band}: ")


def test_every_band_has_its_meaning() -> None:
    assert set(MEANING) | {"not_yet_known"} == set(VERDICTS)
