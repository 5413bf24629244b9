"""A look alerts on change as well as on level, and says so."""

from dataclasses import replace

import pytest

from alerts.alert import Alert
from streams.time import parse_instant
from tests.unit.agents.samples import POLICY, pipeline
from tests.unit.agents.shop import Shop, said

THRESHOLD = POLICY.cold_threshold("loyal")


def opened(earliness: float) -> tuple[Alert, Shop]:
    """The alert about a regular who falls silent, and the shop a month later."""
    shop = Shop(pipeline(replace(POLICY, earliness=earliness)))
    shop.regular("ann", orders=8)
    (alert,) = [alert for alert in said(shop.wait(30)) if alert.kind == "opened"]
    return alert, shop


def test_a_risk_that_rises_is_alerted_before_it_reaches_the_threshold() -> None:
    early, late = opened(1.0)[0], opened(0.0)[0]
    assert parse_instant(early.raised_at) < parse_instant(late.raised_at)
    assert late.risk >= late.threshold == THRESHOLD
    assert THRESHOLD > early.risk >= early.threshold >= POLICY.floor("loyal")


def test_the_evidence_says_so_where_the_level_alone_would_not_do() -> None:
    early, late = opened(1.0)[0], opened(0.0)[0]
    assert f"to {early.risk:.2f} in " in early.reasons[0].evidence
    assert "risk up from" in early.reasons[0].evidence
    assert not any("risk up from" in reason.evidence for reason in late.reasons)


@pytest.mark.parametrize("earliness", [0.0, 1.0])
def test_the_published_band_is_that_of_the_open_episode(earliness: float) -> None:
    alert, shop = opened(earliness)
    customer = shop.customers["ann"]
    assert customer.episode.open
    assert customer.episode.threshold == pytest.approx(alert.threshold, abs=1e-4)
    assert customer.band == customer.episode.band
