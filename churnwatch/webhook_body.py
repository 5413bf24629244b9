"""What is posted for an alert: the bytes of the topic as they are, or a text for Slack and those who take its messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

from alerts.alert import Alert

Format = Literal["json", "slack"]

OWNER: Final = "churnwatch-owner"
"""HTTP header: the owner in the customer's profile, percent-encoded UTF-8. The alert itself has no field for it."""

TEXT_CHARS_MAX: Final = 3_000
REASONS_SHOWN: Final = 3
ACTIONS_SHOWN: Final = 3
HEADLINES: Final = {
    "opened": "may leave",
    "escalated": "is more likely to leave than before",
    "resolved": "is no longer at risk",
    "churned": "has left",
}
_ESCAPED: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'"})


@dataclass(frozen=True, slots=True)
class Posting:
    """One alert, ready to be posted: its id, the body, and the headers that are not about the attempt."""

    alert_id: str
    body: bytes
    headers: dict[str, str]


def posting(alert: Alert, value: bytes, owner: str | None, form: Format) -> Posting:
    """Return what to post; `value` is the alert's message, byte for byte."""
    headers = {"content-type": "application/json; charset=utf-8"}
    if owner is not None:
        headers[OWNER] = quote(owner, safe=" @.+")
    body = value if form == "json" else json.dumps({"text": slack_text(alert, owner)}, ensure_ascii=False).encode()
    return Posting(alert.alert_id, body, headers)


def slack_text(alert: Alert, owner: str | None) -> str:
    """Return who, why, how much and what to do, in Slack's mrkdwn.

    Whatever comes from outside is escaped as Slack asks (https://docs.slack.dev/messaging/formatting-message-text): a customer called
    `<!channel>` calls nobody.
    """
    text = "\n".join(_lines(alert, owner))
    return text if len(text) <= TEXT_CHARS_MAX else text[: TEXT_CHARS_MAX - 1] + "…"


def _lines(alert: Alert, owner: str | None) -> Iterator[str]:
    who = f"*Customer `{escaped(alert.customer_id)}` {HEADLINES[alert.kind]}* ({alert.segment.replace('_', ' ')}, {alert.band})"
    yield who + (f", looked after by {escaped(owner)}" if owner else "")
    if alert.kind != "resolved":
        stake = alert.value_at_risk
        money = f"{stake.amount:,.2f} {escaped(stake.currency or '')}".rstrip()
        yield f"Risk {alert.risk:.0%}; {money} at stake over {stake.horizon_days} days"
        for reason in alert.reasons[:REASONS_SHOWN]:
            yield f"• {escaped(reason.evidence)} ({reason.code})"
        yield from _advice(alert)
    yield f"_Alert {escaped(alert.alert_id)}, {escaped(alert.raised_at)}_"


def _advice(alert: Alert) -> Iterator[str]:
    if alert.holdout:
        yield "Leave them alone: held out, to measure what acting brings"
    for action in alert.actions[:ACTIONS_SHOWN]:
        yield f"→ {escaped(action.title)}: {escaped(action.why)}"


def escaped(text: str) -> str:
    """Return a text that Slack shows as it is, on one line.

    >>> escaped("a < b & <!here>")
    'a &lt; b &amp; &lt;!here&gt;'
    """
    return " ".join(text.translate(_ESCAPED).split())
