"""The choice of an action in words: why this one, how, at what cost, and what would have come before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from alerts.alert import Reason
from alerts.bandit import Favourite
from alerts.play import Channel, Play
from alerts.wording import counted, number
from streams.time import DAY_MS, HOUR_MS, iso

PLACES: Final = ("First choice", "Second choice", "Third choice")

CHANNELS: Final[Mapping[Channel, str]] = {
    "email": "by e-mail",
    "call": "by phone",
    "sms": "by text message",
    "app": "in the app",
    "letter": "by letter",
    "none": "",
}


def chosen(
    place: int,
    play: Play,
    answers: Reason,
    value_at_risk: float,
    currency: str | None,
    moved: Favourite | None,
    passed_over: Sequence[str],
) -> str:
    """Return a sentence, or two, about an action that is suggested.

    Args:
        place: 0 for the first choice.
        play: what is suggested.
        answers: the reason that it answers.
        value_at_risk: what is at stake.
        currency: ISO 4217 code of the amounts, None where unknown.
        moved: what was learnt that has put it first; None where the playbook's ranks have.
        passed_over: what would have come before it (`rests`, `kept`).

    >>> price = Reason("price", 0.62, "…", {})
    >>> play = Play("offer", "Offer", "…", 1.0, ("price",), channel="email", cost=5.0, cool_down_ms=30 * DAY_MS)
    >>> chosen(0, play, price, 80.0, "EUR", None, [])
    'First choice: answers price (62 % of the reasons), by e-mail, costs 5 EUR with 80 EUR at stake, not again within 30 days.'
    """
    parts = [
        f"answers {answers.code} ({answers.weight:.0%} of the reasons)".replace("%", " %")
        if play.reasons
        else "fits any reason"
    ]
    if moved is not None:
        parts.append(
            "tried to learn what helps"
            if moved.share is None
            else f"keeps {moved.share:.0%} of such customers".replace("%", " %")
        )
    parts.extend([CHANNELS[play.channel]] if CHANNELS[play.channel] else [])
    if play.cost:
        parts.append(f"costs {amount(play.cost, currency)} with {amount(value_at_risk, currency)} at stake")
    if play.cool_down_ms:
        parts.append(f"not again within {span(play.cool_down_ms)}")
    said = f"{PLACES[place]}: {', '.join(parts)}."
    return f"{said} Before it would come {'; '.join(passed_over)}." if passed_over else said


def rests(play: Play, until_ms: int) -> str:
    """Return that an action rests.

    >>> rests(Play("care_call", "Call the customer", "…", 1.0), 852_120_000_000)
    '“Call the customer”, which rests until 1997-01-01'
    """
    return f"“{play.title}”, which rests until {iso(until_ms)[:10]}"


def kept(play: Play, cut: float, currency: str | None) -> str:
    """Return that an action is kept for those with more at stake.

    >>> kept(Play("care_call", "Call the customer", "…", 1.0), 250.0, None)
    '“Call the customer”, which is kept for those with 250 and more at stake'
    """
    return f"“{play.title}”, which is kept for those with {amount(cut, currency)} and more at stake"


def amount(value: float, currency: str | None) -> str:
    """Return an amount with its currency, where that is known.

    >>> amount(12.5, "EUR"), amount(3.0, None)
    ('12.5 EUR', '3')
    """
    return f"{number(value)} {currency}" if currency else number(value)


def span(ms: int) -> str:
    """Return a span of time in days, or in hours where it is shorter than two days.

    >>> span(30 * DAY_MS), span(DAY_MS)
    ('30 days', '24 hours')
    """
    return counted(ms / DAY_MS, "day") if ms >= 2 * DAY_MS else counted(ms / HOUR_MS, "hour")
