"""The goals' figures, from ledgers made by hand."""

import pytest

from alerts.goals import KPIS, Kpi, figure, verdict
from alerts.kpi_sums import ENOUGH, Figures, figures, months_of
from alerts.ledger import Ledger
from alerts.revenue import expected_revenue

MAY, JUNE, NEXT_YEAR = 10_000, 10_020, 10_300
ENTRIES = {
    "kpi_alert|opened|rise|treated|loyal|price": 40,
    "kpi_alert|opened|rise|held|loyal|price": 8,
    "kpi_alert|opened|rise|treated|new|service": 40,
    "kpi_alert|escalated|rise|treated|loyal|price": 5,
    "kpi_alert|escalated|untaken|treated|loyal|price": 4,
    "kpi_alert|resolved|won_back|treated|loyal|price": 2,
    "kpi_alert|resolved|return|treated|loyal|price": 12,
    "kpi_alert|resolved|false_alarm|treated|loyal|price": 3,
    "kpi_alert|churned|gone|treated|loyal|price": 30,
    "kpi_alert|unheard_of|gone|treated|loyal|price": 9,
    "kpi_alert_cohort|opened|rise|treated|1997-05": 88,
    "kpi_stake|loyal|price": 500_000,
    "kpi_lead|loyal|price|days": 900,
    "kpi_lead|loyal|price|count": 30,
    "kpi_acted|contacted|loyal|price": 15,
    "kpi_acted|declined|loyal|price": 5,
    "kpi_acted_minutes|loyal|price": 1_200,
    "kpi_acted_cohort|1997-05": 20,
    "kpi_label|loyal|1997-05|stayed": 60,
    "kpi_label|loyal|1997-05|churned": 40,
    "kpi_label|new|1997-Q1|churned": 10,
    "trial|held|loyal|care_call|left|n": 40,
    "trial|held|loyal|care_call|left|kept": 10,
    "trial|held|loyal|care_call|left|expected": 400_000,
    "trial|treated|loyal|care_call|accepted|expected": 1_000_000,
    "trial|treated|loyal|care_call|accepted|n": 100,
    "trial|treated|loyal|care_call|accepted|kept": 50,
    "trial_reason|treated|loyal|price|n": 100,
    "trial_reason|treated|loyal|price|kept": 45,
    "trial_reason|held|loyal|price|n": 20,
    "kpi_won_back|loyal|count": 2,
    "kpi_won_back|loyal|value": 9_900,
    "another|loyal": 7,
}


def a_ledger() -> Ledger:
    ledger = Ledger()
    ledger.add(MAY, ENTRIES)
    return ledger


def test_by_segment() -> None:
    loyal, new = (figures(a_ledger(), "segment", ["1997-05"])[name] for name in ("loyal", "new"))
    assert (loyal.opened, loyal.opened_held, loyal.escalated, loyal.resolved, loyal.false_alarms) == (48, 8, 5, 15, 3)
    assert loyal.reminded == 4
    assert (loyal.churned, loyal.stake, loyal.won_back, loyal.won_value) == (30, 500_000, 2, 9_900)
    assert (loyal.retention, loyal.churn, loyal.lead) == (0.6, 0.4, 30.0)
    assert (loyal.acted_share, loyal.time_to_action_ms) == (0.5, 3_600_000.0)
    assert (loyal.precision, loyal.precision_basis) == (0.75, "held out")
    assert (new.retention, new.left, new.precision, new.lead, new.time_to_action_ms) == (None, 10, None, None, None)
    assert new.acted_share == 0.0


def test_where_too_few_are_held_out_precision_is_told_of_all() -> None:
    price = figures(a_ledger(), "reason", ["1997-05"])["price"]
    assert (price.precision_basis, price.precision) == ("all", 1 - 45 / 120)
    assert (price.retention, price.stayed, price.left) == (45 / 120, 45, 75)


def test_by_cohort_as_of_the_last_month() -> None:
    ledger = a_ledger()
    ledger.add(NEXT_YEAR, {"kpi_label|loyal|1997-Q1|stayed": 5, "kpi_label|loyal|1997-Q2|stayed": 1})
    found = figures(ledger, "cohort", months_of(ledger))
    assert list(found) == ["1997-05", "1997-Q1", "1997-Q2"] or list(found) == ["1997-Q1", "1997-Q2"]
    early = figures(a_ledger(), "cohort", ["1997-05"])
    assert (early["1997-05"].stayed, early["1997-05"].opened, early["1997-05"].acted) == (60, 88, 20)
    ledger.add(NEXT_YEAR + 200, {"kpi_label|loyal|1997-Q2|stayed": 1})
    assert figures(ledger, "cohort", months_of(ledger))["1997-Q2"].stayed == 62


def test_by_month_and_all_together() -> None:
    ledger = a_ledger()
    ledger.add(JUNE, {"kpi_alert|opened|rise|treated|loyal|price": 2})
    months = months_of(ledger)
    assert months == ["1997-05", "1997-06"]
    assert {month: found.opened for month, found in figures(ledger, "month", months).items()} == {
        "1997-05": 88,
        "1997-06": 2,
    }
    assert figures(ledger, "all", months)["all"].opened == 90
    assert figures(ledger, "all", ["1997-06"])["all"].opened == 2


def test_an_empty_ledger_tells_nothing() -> None:
    assert months_of(Ledger()) == []
    whole = figures(Ledger(), "all", [])["all"]
    assert whole == Figures()
    assert all(figure(kpi.name, whole) is None for kpi in KPIS)
    assert expected_revenue(Ledger()) is None


def test_more_reports_than_openings_are_no_more_than_all_of_them() -> None:
    assert Figures(opened=ENOUGH, acted=2 * ENOUGH).acted_share == 1.0


# -- goals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.name)
def test_a_figure_is_judged_by_its_target_alone(kpi: Kpi) -> None:
    assert verdict(kpi, 0.5, {}) == ""
    assert verdict(kpi, None, {kpi.name: 0.5}) == "not yet enough to tell"
    assert verdict(kpi, 0.5, {kpi.name: 0.5}) == "met"
    assert verdict(kpi, 0.4, {kpi.name: 0.5}) == ("missed" if kpi.more else "met")
    assert verdict(kpi, 0.6, {kpi.name: 0.5}) == ("met" if kpi.more else "missed")


# -- revenue -----------------------------------------------------------------------------------------------------------


def look(day: int, customers: int) -> dict[str, int]:
    return {
        f"kpi_expected|{day}|loyal|safe|customers": customers,
        f"kpi_expected|{day}|loyal|safe|year": customers * 36_500,
        f"kpi_expected|{day}|new|open|customers": 10,
        f"kpi_expected|{day}|new|open|year": 365_000,
    }


def test_revenue_is_that_of_the_latest_whole_look_with_and_without_those_at_risk() -> None:
    ledger = Ledger()
    ledger.add(MAY, look(MAY, 70))
    ledger.add(MAY + 7, look(MAY + 7, 80))
    found = expected_revenue(ledger)
    assert found is not None
    assert (found.day, found.whole.safe, found.whole.open, found.segments["loyal"].safe) == (MAY + 7, 80, 10, 80)
    assert (found.whole.everybody(365), found.whole.without(365)) == (32_850.0, 29_200.0)
    assert found.whole.everybody(73) == pytest.approx(6_570.0)
    ledger.add(MAY + 14, look(MAY + 14, 3))
    under_way = expected_revenue(ledger)
    assert under_way == found
