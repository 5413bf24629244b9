import pytest

from alerts.bands import BANDS, RANK, band_of, steady_band


@pytest.mark.parametrize(
    ("risk", "threshold", "band"),
    [
        (0.0, 0.4, "low"),
        (0.3999, 0.4, "low"),
        (0.4, 0.4, "watch"),
        (0.5999, 0.4, "watch"),
        (0.61, 0.4, "high"),
        (0.81, 0.4, "critical"),
        (1.0, 0.4, "critical"),
        (0.0, 0.0, "watch"),
        (0.9999, 1.0, "low"),
        (1.0, 1.0, "critical"),
    ],
)
def test_bands_stand_on_the_threshold(risk: float, threshold: float, band: str) -> None:
    assert band_of(risk, threshold) == band


def test_bands_are_ranked() -> None:
    assert [RANK[band] for band in BANDS] == [0, 1, 2, 3]


def test_a_published_band_rises_at_once_and_falls_with_slack() -> None:
    assert steady_band(0.61, 0.6, None, 0.1) == "watch"
    assert steady_band(0.74, 0.6, "watch", 0.1) == "high"
    assert steady_band(0.70, 0.6, "high", 0.1) == "high"
    assert steady_band(0.60, 0.6, "high", 0.1) == "watch"
    assert steady_band(0.55, 0.6, "watch", 0.1) == "watch"
    assert steady_band(0.10, 0.6, "critical", 0.1) == "low"


def test_slack_never_lifts_a_band_above_the_published_one() -> None:
    assert steady_band(0.72, 0.6, "watch", 0.5) == "watch"
