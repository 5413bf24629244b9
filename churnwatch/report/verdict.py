"""The verdict in plain words: for somebody who decides whether to listen to the warnings, and knows nothing of curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from churnwatch.report.story import BGNBD, OURS, RECENCY, SILENCE, Story
from models.verdict import judge

CALIBRATED: Final = 0.03
"""Risks that are off by less on average can be taken at their word."""

MEANING: Final = {
    "good": "it tells who will leave clearly better than silence alone does, and what it says comes about as often as it says.",
    "fair": "it tells more than silence alone does, but not by far, or its percentages are off.",
    "poor": "it tells hardly more than silence alone does, hardly more than guessing, or its percentages are far off.",
}


def headline(story: Story) -> str:
    """Return the verdict in one sentence: the band that the live system shows, judged on the evaluated predictions."""
    # Silence by the rule or by the plain count of days, whichever ranks better here: the harder floor is the honest one.
    floors = [found for name in (SILENCE, RECENCY) if (found := story.contenders[name].all["weekly_auc"]) is not None]
    named = {
        "recent_examples": story.told["quality"]["examples"],
        "recent_base_rate": story.told["quality"]["base_rate"],
        "recent_weekly_auc": story.contenders[OURS].all["weekly_auc"],
        "recent_ece": story.contenders[OURS].all["ece"],
        "recent_rule_weekly_auc": max(floors, default=None),
    }
    verdict = judge({name: float(value) for name, value in named.items() if value is not None})
    return f"{verdict.words.capitalize()}: {MEANING.get(verdict.band, verdict.reason)}"


def sentences(story: Story) -> Iterator[str]:
    """Give what the headline rests on, a sentence each."""
    told, days = story.told, story.horizon_days
    alerts, quality = told["alerts"], told["quality"]
    nothing = (
        f"ordered nothing for {days} days" if story.settings.churn_on == "orders" else f"was silent for {days} days"
    )
    if alerts["precision"] is not None:
        yield (
            f"Of 100 warnings {100 * alerts['precision']:.0f} were right: the customer {nothing}. "
            f"{_by_chance(alerts)}There were {alerts['per_day']:.1f} warnings a day."
        )
    if alerts["lead_days_median"] is not None:
        yield (
            f"Half of the right warnings came within {alerts['after_last_order_days_median']:.0f} days of the last order, "
            f"{alerts['lead_days_median']:.0f} days or more before {days} days of silence would have settled it."
        )
    if alerts["leavers_warned_share"] is not None:
        yield (
            f"Of {alerts['leavers']:,} customers who left, {_of_100(alerts['leavers_warned_share'])} of 100 were warned about"
            f"{_regulars(alerts)}. The others went without a warning; a larger budget reaches more of them (see below)."
        )
    ours = story.contenders[OURS].all["weekly_auc"]
    if ours is not None:
        rest = ", ".join(
            f"{name} {_of_100(found)}"
            for name in (RECENCY, SILENCE, BGNBD)
            if name in story.contenders and (found := story.contenders[name].all["weekly_auc"]) is not None
        )
        yield (
            f"Of two customers looked at in the same week, of whom one left and one stayed, it gave the leaver the higher "
            f"risk {_of_100(ours)} times in 100 ({rest}; drawing lots: 50)."
        )
    if quality["ece"] is not None:
        how = "can be taken at their word" if quality["ece"] < CALIBRATED else "should be taken with a grain of salt"
        yield f"Its percentages {how}: on average they are off by {100 * quality['ece']:.1f} points."
    left = told["regulars"]["for_good"]
    if left["left"]:
        yield (
            f"Of {left['left']:,} regulars who left for good, {_of_100(left['top_10']['by_45_days'])} of 100 were among the riskiest "
            "tenth of the regulars in some week up to 45 days after their last order; "
            f"{_of_100(left['alert_score_10']['by_45_days'])} were among the tenth that the warnings rank first, which go by how "
            "new a risk is as well."
        )


def _by_chance(alerts: Mapping[str, Any]) -> str:
    share = alerts["precision_by_chance"]
    return (
        ""
        if share is None
        else f"Had as many of the same segments been drawn by lot, it would have been {_of_100(share)}. "
    )


def _regulars(alerts: Mapping[str, Any]) -> str:
    share = alerts["regular_leavers_warned_share"]
    return (
        "" if share is None else f", of the {alerts['regular_leavers']:,} regulars among them {_of_100(share)} of 100"
    )


def _of_100(share: float) -> str:
    return f"{100 * share:.0f}"
