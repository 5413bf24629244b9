"""What the fields of the published messages mean, in a line each: for the reference pages, where the schemas say only what is allowed.

A test holds the tables to the schemas: no field without a meaning, no meaning without a field.
"""

from collections.abc import Mapping
from typing import Final

EVERY_EVENT: Final[Mapping[str, str]] = {
    "event_id": "Unique for each event; the same one again is a duplicate and has no effect.",
    "customer_id": "Whose. In Kafka the record's key is the same text in UTF-8.",
    "occurred_at": "When it happened, not when it was sent.",
}

EVENTS: Final[Mapping[str, Mapping[str, str]]] = {
    "orders": {
        "order_id": "The shop's number of the order; its cancellation or return names the same.",
        "amount": "What the customer pays, in `currency`. Amounts are added up whatever their currency.",
        "currency": "ISO 4217.",
        "items": "How many things.",
        "discount": "What was taken off, in `currency`.",
        "status": "`cancelled` and `returned` are events of their own, later than the order.",
    },
    "logins": {
        "channel": "By which way.",
        "session_seconds": "How long they stayed.",
    },
    "tickets": {
        "ticket_id": "The same for every step of one ticket.",
        "status": "The step.",
        "category": "What it is about; it decides which reason a ticket speaks for.",
        "severity": "How bad it is for the customer.",
        "satisfaction": "What the customer said of how it was settled, 5 being the best.",
    },
    "reviews": {
        "rating": "Stars, 5 being the best.",
        "nps": "Answer to “would you recommend us”, 10 being the best.",
        "kind": "Written unasked, or the answer to a survey.",
        "topics": "What the customer ticked; it decides which reason a review speaks for.",
        "text": "Read once for words of complaint, never kept.",
    },
    "profiles": {
        "signed_up_at": "When they became a customer.",
        "plan": "Travels with alerts as the Kafka header `churnwatch.plan`.",
        "segment": "`new`, `standard`, `loyal` or `high_value` overrides the computed one; another text has no effect.",
        "owner": "Who looks after them; travels with alerts as the Kafka header `churnwatch.owner`.",
        "annual_value": "What a year with them is worth; overrides the computed one.",
        "country": "For other readers of the topic; Churnwatch makes no use of it.",
        "do_not_contact": "True: no action is suggested that would reach them.",
    },
    "cancellations": {
        "reason": "What they gave as the reason; it becomes that of the alert.",
        "effective_at": "When the contract ends.",
    },
    "outcomes": {
        "alert_id": "The alert that it is about.",
        "status": "`false_alarm` closes the episode, `snoozed` keeps it quiet; the others are counted.",
        "action": "Which action of the playbook was taken.",
        "snooze_until": "With `snoozed`: until when; a week where it is not said, 180 days at most.",
        "cost": "What it cost, in the orders' currency.",
        "note": "For other readers of the topic.",
    },
}

OUTPUTS: Final[Mapping[str, Mapping[str, str]]] = {
    "Alert": {
        "schema_version": "1. A change that breaks readers makes it 2.",
        "alert_id": "The same alert delivered again has the same id and the same bytes: drop the ids that you know.",
        "episode_id": "What belongs together: opened, escalated, resolved or churned. At most one is open per customer.",
        "customer_id": "Whom it is about; also the record's key.",
        "kind": "`opened`, perhaps `escalated`, then `resolved` or `churned` (and `resolved` once more if the lost come back).",
        "raised_at": "By the customer's clock.",
        "risk": "Probability, 0 to 1, that no order comes within the horizon.",
        "threshold": "The risk that the episode was opened under.",
        "band": "How far above it: the highest band that the episode has reached.",
        "segment": "`new`, `standard`, `loyal` or `high_value`.",
        "value_at_risk": "What goes if they go: a year's expected spend, times the risk.",
        "reasons": "Why, the weightiest first.",
        "actions": "What to do, the best first, three at most; empty for those held out.",
        "holdout": "True: leave them alone, so that one can tell later whether acting helped.",
        "model": "Who says so.",
        "trigger": "What set it off.",
    },
    "ValueAtRisk": {
        "amount": "In `currency`.",
        "currency": "Of the customer's orders; null where none stated one.",
        "horizon_days": "Over how many days it is reckoned.",
    },
    "Reason": {
        "code": "The family.",
        "weight": "Its share of what raises the risk, 0 to 1; all of them sum to 1 at most.",
        "evidence": "One sentence, for people.",
        "features": "The figures behind it, by their names in the catalogue of features.",
    },
    "Action": {
        "code": "Its name in the playbook.",
        "title": "For people.",
        "why": "Why this one, what it costs, and what was passed over.",
    },
    "ModelStamp": {
        "version": "`rule-…` where the silence rule speaks, since too few outcomes are known.",
        "examples": "How many outcomes it had learnt from.",
    },
    "Trigger": {
        "kind": "An event, or silence: a wake-up without any event.",
        "topic": "Where the event stands; null for silence.",
        "partition": "As `topic`.",
        "offset": "As `topic`.",
    },
    "Score": {
        "schema_version": "1.",
        "customer_id": "Whose; also the record's key, by which the topic is compacted.",
        "scored_at": "By the customer's clock.",
        "risk": "Probability, 0 to 1, that no order comes within the horizon.",
        "band": "`low` is below the threshold; the others are thirds of what is above.",
        "previous_band": "The one before; null for the first.",
        "segment": "As in alerts.",
        "model": "Who says so.",
    },
}
