"""The tables of what customers do, one row an event. Logins are left out: they are many, and alerts tell what they come to."""

from __future__ import annotations

from typing import Final

from bi.tables import Column, Table, key

_KEY: Final = (
    key("customer_id", "text", "Whom it is about: dim_customer"),
    key("event_id", "text", "The event's id; one that comes again is the same event"),
)

FACT_ORDER: Final = Table(
    "fact_order",
    "One row an order event; a cancellation or return of an order is an event of its own",
    (
        *_KEY,
        Column("order_id", "text", "The order's id"),
        Column("ordered_at", "instant", "When it happened"),
        Column("ordered_on", "day", "The UTC day of that: dim_date"),
        Column("status", "text", "placed, cancelled or returned"),
        Column("amount", "decimal", "Its amount"),
        Column("discount", "decimal", "Discount given"),
        Column("items", "decimal", "How many items"),
        Column("currency", "text", "ISO 4217; null where the event does not say"),
    ),
)

FACT_CANCELLATION: Final = Table(
    "fact_cancellation",
    "One row a cancellation of the contract",
    (
        *_KEY,
        Column("cancelled_at", "instant", "When it was said"),
        Column("cancelled_on", "day", "The UTC day of that: dim_date"),
        Column("reason", "text", "price, service, product, competition or other, as stated"),
        Column("effective_at", "instant", "From when on"),
    ),
)

FACT_TICKET: Final = Table(
    "fact_ticket",
    "One row a step in the life of a support ticket",
    (
        *_KEY,
        Column("ticket_id", "text", "The ticket's id"),
        Column("happened_at", "instant", "When"),
        Column("happened_on", "day", "The UTC day of that: dim_date"),
        Column("status", "text", "opened, updated, resolved or reopened"),
        Column("category", "text", "billing, delivery, product, service, account, return, cancellation, other"),
        Column("severity", "text", "low, normal or high"),
        Column("satisfaction", "decimal", "1 to 5"),
    ),
)

FACT_REVIEW: Final = Table(
    "fact_review",
    "One row a review or survey answer (without its text)",
    (
        *_KEY,
        Column("reviewed_at", "instant", "When"),
        Column("reviewed_on", "day", "The UTC day of that: dim_date"),
        Column("kind", "text", "review or survey"),
        Column("rating", "decimal", "1 to 5"),
        Column("nps", "decimal", "0 to 10"),
        Column("topics", "text", "What it speaks of, each once and in alphabetical order, separated by commas"),
    ),
)

ABOUT_CUSTOMERS: Final = (FACT_ORDER, FACT_CANCELLATION, FACT_TICKET, FACT_REVIEW)
