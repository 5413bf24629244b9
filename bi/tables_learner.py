"""The tables of what the learner keeps: figures for steering by month, expected revenue, and the models over time."""

from __future__ import annotations

from typing import Final

from bi.tables import Column, Table, Type, key

QUALITY: Final = {
    "auc": "Area under the ROC curve of what it said, against what came: 0.5 is chance",
    "rule_auc": "The same of the rule of silence, to compare with",
    "weekly_auc": "Mean of the AUC within each week",
    "log_loss": "Mean log loss, nats: lower is better",
    "ece": "Expected calibration error: how far shares said are from shares that came",
    "lift_10": "How many times more often the riskiest tenth left than all",
    "alarm_precision": "Share of those who would have been warned about that left",
    "base_rate": "Share of all that left",
}
"""The prequential figures that are kept by name; a model's history has more."""


def _now(name: str, type_: Type, meaning: str) -> Column:
    return Column(name, type_, meaning, "replace")


FACT_KPI: Final = Table(
    "fact_kpi",
    "One row a month and group: the counts behind `churnwatch kpi`, and its figures. Months change while their labels come in",
    (
        key("month", "day", "First day of the month"),
        key("told_by", "text", "all, segment, reason or cohort"),
        key("group_name", "text", "Which segment, reason or cohort (month, quarter or year of the first order)"),
        _now("stayed", "whole", "Answers to the model's question that were: stayed"),
        _now("left_count", "whole", "Answers that were: left"),
        _now("retention", "decimal", "Share that stayed; null where fewer than 30 are known"),
        _now("churn", "decimal", "Share that left; null where fewer than 30 are known"),
        _now("alerts_opened", "whole", "Alerts that opened an episode"),
        _now("alerts_held_out", "whole", "Of them, of customers held out of treatment"),
        _now("escalated", "whole", "Alerts that escalated"),
        _now("resolved", "whole", "Alerts that resolved"),
        _now("false_alarms", "whole", "Of them, because the team said: false alarm"),
        _now("churned", "whole", "Customers given up after a warning"),
        _now("came_back", "whole", "Customers given up who came back"),
        _now("value_at_stake", "decimal", "At risk a year, of the alerts that opened"),
        _now("value_lost", "decimal", "Worth a year, of those given up"),
        _now("value_won_back", "decimal", "Worth a year, of those who came back"),
        _now("precision_share", "decimal", "Share of the alerted who left within the horizon; null: too few known"),
        _now("precision_of", "text", "Of whom that is told: held out, or all"),
        _now("lead_days", "decimal", "Mean days from the alert to the leaving; null: too few known"),
        _now("acted_share", "decimal", "Share of the alerts to be treated that were acted upon; null: too few"),
        _now("hours_to_action", "decimal", "Mean hours from the alert to the first report; null: none"),
    ),
)

FACT_EXPECTED_REVENUE: Final = Table(
    "fact_expected_revenue",
    "One row a weekly look and segment: what active customers are expected to spend, with and without those at risk",
    (
        key("day", "day", "Day of the look: dim_date"),
        key("segment", "text", "Segment: dim_segment"),
        _now("customers", "whole", "Active customers"),
        _now("customers_at_risk", "whole", "Of them, with an open episode"),
        _now("revenue_90_days", "decimal", "Expected spend of the next 90 days"),
        _now("revenue_90_days_without", "decimal", "The same without the customers at risk"),
        _now("revenue_365_days", "decimal", "Expected spend of the next 365 days"),
        _now("revenue_365_days_without", "decimal", "The same without the customers at risk"),
    ),
)

FACT_MODEL_QUALITY: Final = Table(
    "fact_model_quality",
    "One row a version of the model",
    (
        key("version", "whole", "The model's version, as in alerts"),
        _now("learnt_until", "instant", "Up to which instant it has learnt, on the customers' clock"),
        _now("learnt_until_day", "day", "The UTC day of that: dim_date"),
        _now("examples", "whole", "Examples that it has learnt from"),
        _now("recipe", "text", "Which recipe speaks"),
        _now("verdict", "text", "What its quality comes to, in a word"),
        *(_now(name, "figure", meaning) for name, meaning in QUALITY.items()),
    ),
)

OF_THE_LEARNER: Final = (FACT_KPI, FACT_EXPECTED_REVENUE, FACT_MODEL_QUALITY)
