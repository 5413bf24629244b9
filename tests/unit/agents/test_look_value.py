"""A look alerts on what is at stake as well as on risk, and says the threshold in terms of the risk."""

from dataclasses import replace
from typing import Any

import msgspec

from agents.guides import GuideBook
from alerts.alert import Alert
from streams.time import parse_instant
from tests.unit.agents.samples import POLICY, pipeline, silence_guide
from tests.unit.agents.shop import Shop, said

THRESHOLD = POLICY.cold_threshold("loyal")


def opened(extra: dict[str, Any], weight: float = 0.5) -> tuple[Alert, Shop]:
    """The alert about a regular who falls silent, where level and value alone count, and the shop some weeks later."""
    guide = msgspec.structs.replace(silence_guide(), extra=extra)
    shop = Shop(pipeline(replace(POLICY, earliness=0.0, value_weight=weight)), GuideBook(guide))
    shop.regular("ann", orders=8)
    (alert,) = [alert for alert in said(shop.wait(60)) if alert.kind == "opened"]
    return alert, shop


RICH, POOR = {"typical_values": [100.0, 1_000.0]}, {"typical_values": [20_000.0, 90_000.0]}


def test_who_is_worth_more_is_alerted_at_a_lower_risk_and_sooner() -> None:
    rich, plain, poor = (opened(extra)[0] for extra in (RICH, {}, POOR))
    assert rich.risk < plain.risk < poor.risk
    assert parse_instant(rich.raised_at) < parse_instant(plain.raised_at) < parse_instant(poor.raised_at)


def test_the_alert_tells_the_threshold_that_its_risk_has_reached() -> None:
    rich, plain, poor = (opened(extra)[0] for extra in (RICH, {}, POOR))
    assert plain.threshold == THRESHOLD
    assert POLICY.floor("loyal") <= rich.threshold <= rich.risk < THRESHOLD
    assert THRESHOLD < poor.threshold <= poor.risk


def test_value_that_counts_for_nothing_changes_nothing() -> None:
    assert opened(RICH, weight=0.0)[0] == opened({}, weight=0.0)[0]


def test_a_band_is_not_told_before_the_alert_of_one_who_is_worth_little() -> None:
    shop = opened(POOR)[1]
    customer = shop.customers["ann"]
    assert customer.episode.open
    assert customer.band == customer.episode.band
    assert customer.episode.threshold > THRESHOLD
