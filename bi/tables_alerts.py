"""The tables of alerts: the messages, their reasons, the episodes that they make up, and what the team did."""

from __future__ import annotations

from typing import Final

from bi.tables import CUSTOMER, Column, Table, key, last

FACT_ALERT: Final = Table(
    "fact_alert",
    "One row an alert message, as it was raised",
    (
        key("alert_id", "text", "The alert's id; a message that comes again has the same"),
        Column("episode_id", "text", "The episode that it belongs to: fact_episode"),
        CUSTOMER,
        Column("kind", "text", "opened, escalated, resolved or churned"),
        Column("raised_at", "instant", "When, on the customer's clock"),
        Column("raised_on", "day", "The UTC day of that: dim_date"),
        Column("segment", "text", "Segment then: dim_segment"),
        Column("band", "text", "Highest band that the episode had reached: watch, high, critical"),
        Column("risk", "decimal", "Risk of leaving, 0 to 1"),
        Column("threshold", "decimal", "Risk from which on the episode was opened"),
        Column("reason", "text", "Code of the first reason; null where there is none"),
        Column("evidence", "text", "The first reason in words"),
        Column("value_at_risk", "decimal", "Spend of horizon_days that is expected to be lost"),
        Column("currency", "text", "Of value_at_risk; null where no order stated one"),
        Column("horizon_days", "whole", "Over how many days value_at_risk is reckoned"),
        Column("action", "text", "Code of the first action suggested; null where there is none"),
        Column("action_title", "text", "The same in words"),
        Column("holdout", "truth", "Whether the customer is held out of treatment, for comparison"),
        Column("owner", "text", "Who looked after the customer then, from the profile"),
        Column("plan", "text", "The customer's plan then, from the profile"),
        Column("model_version", "text", "Which model said so: fact_model_quality, or a rule"),
        Column("model_examples", "whole", "From how many examples it had learnt"),
        Column("trigger_kind", "text", "event or silence"),
        Column("trigger_topic", "text", "The topic of the event that set it off; null for silence"),
    ),
)

FACT_ALERT_REASON: Final = Table(
    "fact_alert_reason",
    "One row a reason of an alert",
    (
        key("alert_id", "text", "The alert: fact_alert"),
        key("rank", "whole", "1 is the first reason"),
        CUSTOMER,
        Column("raised_on", "day", "The UTC day of the alert: dim_date"),
        Column("reason", "text", "engagement, price, service, product or competition"),
        Column("weight", "decimal", "Its share of what raises the risk, 0 to 1"),
        Column("evidence", "text", "In words"),
    ),
)

FACT_EPISODE: Final = Table(
    "fact_episode",
    "One row an episode: from the alert that opened it to the one that closed it",
    (
        key("episode_id", "text", "The episode's id"),
        CUSTOMER,
        last("alert_offset", "state", "text", "open, resolved or churned, after its latest alert"),
        last("alert_offset", "band", "text", "Highest band reached: watch, high, critical"),
        last("alert_offset", "risk", "decimal", "Risk at its latest alert"),
        last("alert_offset", "changed_at", "instant", "When its latest alert was raised"),
        last("alert_offset", "last_alert_id", "text", "Its latest alert: fact_alert"),
        last("alert_offset", "alert_offset", "whole", "Which message of the alerts' topic that was"),
        Column("opened_at", "instant", "When it was opened; null where that alert was gone from Kafka", "least"),
        Column("opened_on", "day", "The UTC day of that: dim_date", "least"),
        Column("escalated_at", "instant", "When it first escalated, or was reminded of", "least"),
        Column("resolved_at", "instant", "When it was resolved; after churned_at: the customer came back", "greatest"),
        Column("churned_at", "instant", "When the customer was given up", "least"),
        Column("segment", "text", "Segment when it was opened: dim_segment"),
        Column("reason", "text", "Code of the first reason of the alert that opened it"),
        Column("action", "text", "Code of the first action that this alert suggested"),
        Column("opening_risk", "decimal", "Risk at that alert"),
        Column("value_at_risk", "decimal", "Spend of a year that was expected to be lost, at that alert"),
        Column("currency", "text", "Of value_at_risk"),
        Column("holdout", "truth", "Whether the customer is held out of treatment"),
        Column("owner", "text", "Who looked after the customer then"),
    ),
)

FACT_OUTCOME: Final = Table(
    "fact_outcome",
    "One row a report of the retention team on an alert (without the note: free text stays in Kafka)",
    (
        key("customer_id", "text", "Whom it is about: dim_customer"),
        key("event_id", "text", "The report's id"),
        Column("alert_id", "text", "The alert that it is about: fact_alert"),
        Column("status", "text", "acknowledged, contacted, accepted, declined, false_alarm or snoozed"),
        Column("status_rank", "whole", "Of two reports at the same instant the higher one counts"),
        Column("reported_at", "instant", "When, by the report itself"),
        Column("reported_on", "day", "The UTC day of that: dim_date"),
        Column("action", "text", "What was done"),
        Column("cost", "decimal", "What it cost"),
        Column("snoozed_until", "instant", "Until when the customer is left alone"),
    ),
)

ABOUT_ALERTS: Final = (FACT_ALERT, FACT_ALERT_REASON, FACT_EPISODE, FACT_OUTCOME)
