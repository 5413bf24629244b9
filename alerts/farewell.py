"""Why a customer was lost, told from what they were warned of; and what else an alert says that is told a second time.

Ninety days after the last order the model sees nothing but silence, whatever drove the customer away. So an episode that ends
in `churned` tells the reasons that there were when it was opened.

| cause | evidence |
| --- | --- |
| gone | "No order for 90 days; counts as gone. Warned on 2026-03-02: the average rating has fallen to 2" |
| cancelled, saying why | "Cancelled on 2026-05-01, because of the price" |
| cancelled, saying nothing | "Cancelled on 2026-05-01. Warned on 2026-03-02: …" |
| untaken | "Nobody has taken this alert for 3 days. …" and the reasons as of now |
| snooze_over | "The snooze is over, and the customer still at risk. …" likewise |
| won_back | "Came back on 2026-06-10, after having been given up on 2026-05-01" |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from alerts.alert import Reason
from alerts.episode import Episode, Transition
from streams.time import DAY_MS, iso

REASONS_TOLD: Final = 2


def retold(
    step: Transition, episode: Episode, reasons: Sequence[Reason], before: Sequence[Reason], sign: str
) -> list[Reason]:
    """Return the reasons to tell with a step of an episode.

    Args:
        step: what the alert is about.
        episode: whose step it is, as it is now.
        reasons: as `reasons.explain_step` gives them; at least one.
        before: where the customer is lost, the reasons as of the episode's opening, the weightiest first.
        sign: what brings a customer back: `order`, or `sign of life`.
    """
    first, *others = reasons
    if step.cause == "won_back":
        returned = episode.seen_ms > episode.closed_ms
        how = f"Came back: {sign} on {_date(episode.seen_ms)}" if returned else f"Seen again on {_date(step.at_ms)}"
        return [Reason("engagement", 1.0, f"{how}, after having been given up on {_date(episode.closed_ms)}", {})]
    if step.cause == "untaken":
        days = (step.at_ms - max(episode.opened_ms, episode.snoozed_until_ms)) // DAY_MS
        waited = f"Nobody has taken this alert for {days} day{'' if days == 1 else 's'}"
        return [replace(first, evidence=f"{waited}. {first.evidence}"), *others]
    if step.cause == "snooze_over":
        return [
            replace(first, evidence=f"The snooze is over, and the customer still at risk. {first.evidence}"),
            *others,
        ]
    # A cancellation that says why needs no guess of ours.
    stated = step.cause == "cancelled" and (first.code != "engagement" or ", because of " in first.evidence)
    if step.kind != "churned" or stated or not before:
        return list(reasons)
    warned = f"Warned on {_date(episode.opened_ms)}: " if episode.opened_ms < step.at_ms else ""
    told = [
        # By the end there is better evidence of silence: it has grown.
        replace(reason, evidence=first.evidence, features=first.features)
        if reason.code == first.code
        else replace(reason, evidence=f"{warned}{reason.evidence}")
        for reason in before[:REASONS_TOLD]
    ]
    if all(reason.code != first.code for reason in told):
        told[0] = replace(told[0], evidence=f"{first.evidence}. {told[0].evidence}")
    return told


def _date(at_ms: int) -> str:
    return iso(at_ms)[:10]
