"""The playbook that comes with Churnwatch: plays that retention teams commonly have at hand, to be made one's own."""

from __future__ import annotations

from typing import Final

from alerts.playbook import Play

DEFAULT_PLAYBOOK: Final = (
    Play(
        "dedicated_service",
        "Give the customer a contact person of their own",
        "A customer of high value with trouble in service: {evidence}",
        strength=1.0,
        reasons=("service",),
        segments=("high_value",),
    ),
    Play(
        "care_call",
        "Call the customer",
        "Worth somebody's time, and a call finds out what the figures cannot: {evidence}",
        strength=0.95,
        reasons=("engagement", "service", "competition"),
        segments=("high_value",),
    ),
    Play(
        "care_call",
        "Call the customer",
        "A regular on the point of leaving: {evidence}",
        strength=0.9,
        reasons=("engagement", "service", "competition"),
        segments=("loyal",),
        bands=("high", "critical"),
    ),
    Play(
        "complaint_follow_up",
        "Settle what the customer has complained about",
        "What went wrong is still on the customer's mind: {evidence}",
        strength=0.9,
        reasons=("service", "product"),
        contact=False,
    ),
    Play(
        "onboarding",
        "Send the guide for newcomers",
        "New customers who get no further use leave early: {evidence}",
        strength=0.9,
        reasons=("engagement", "product"),
        segments=("new",),
    ),
    Play(
        "personal_offer",
        "Make a personal offer",
        "Price weighs in: {evidence}",
        strength=0.9,
        reasons=("price", "competition"),
    ),
    Play(
        "personal_offer",
        "Make a personal offer",
        "An occasion to come back: {evidence}",
        strength=0.7,
        reasons=("engagement",),
        segments=("loyal", "high_value", "standard"),
    ),
    Play(
        "loyalty_points",
        "Credit loyalty points",
        "A thank-you that needs no call: {evidence}",
        strength=0.6,
        reasons=("engagement", "price"),
        segments=("loyal", "high_value", "standard"),
        contact=False,
    ),
    Play(
        "satisfaction_survey",
        "Ask how satisfied the customer is",
        "Cheap, and it tells what the figures leave open: {evidence}",
        strength=0.5,
        segments=("new", "standard", "loyal"),
    ),
    Play(
        "win_back",
        "Invite the customer back",
        "The customer has left: {evidence}",
        strength=1.0,
        kinds=("churned",),
    ),
)
