"""One customer: who, why, what would help, what was done; and one timeline of all that there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from alerts.alert import Alert
from console.alerts_page import ACTIONS
from console.history import cases
from console.portrait import Moment, Portrait
from console.questions import alerts_of, open_episode, outcomes_of
from console.replies import away, board_of, missing, page
from streams.errors import ChurnwatchError
from streams.time import parse_instant

ID_MAX: Final = 128
ENTRIES_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline: exactly one of what the customer did, what was warned of, what the team did, what the risk was."""

    at_ms: int
    moment: Moment | None = None
    alert: Alert | None = None
    outcome: dict[str, Any] | None = None
    risk: float | None = None


async def show(request: Request) -> Response:
    """Show the customer that the address names."""
    found = await _found(request)
    if isinstance(found, Response):
        return found
    customer_id, portrait = found
    inbox, now_ms = board_of(request).inbox, board_of(request).now_ms()
    alerts, outcomes = alerts_of(inbox, customer_id), outcomes_of(inbox, customer_id)
    status = 200 if portrait is not None or alerts else 404
    return page(
        request,
        "customer.html",
        status=status,
        customer_id=customer_id,
        portrait=portrait,
        alerts=alerts,
        cases=cases(alerts, outcomes),
        row=open_episode(inbox, customer_id, now_ms),
        sent="",
        actions=ACTIONS,
        entries=timeline(portrait, alerts, outcomes)[:ENTRIES_MAX],
        now_ms=now_ms,
    )


async def series(request: Request) -> Response:
    """Answer with what the chart draws: seconds, risk or null, amount ordered or null."""
    found = await _found(request)
    if isinstance(found, Response):
        return found
    portrait = found[1]
    if portrait is None:
        return await missing(request, KeyError())
    alerts = alerts_of(board_of(request).inbox, portrait.customer_id)
    risks = dict(risks_of(portrait, alerts))
    amounts = {moment.at_ms: moment.amount for moment in portrait.moments if moment.kind == "orders"}
    instants = sorted({*risks, *amounts})
    return JSONResponse(
        {"at": [at // 1000 for at in instants], "risk": [risks.get(at) for at in instants], "amount": [amounts.get(at) for at in instants]}
    )  # fmt: skip


async def _found(request: Request) -> tuple[str, Portrait | None] | Response:
    customer_id = request.query_params.get("id", "")
    if not 0 < len(customer_id) <= ID_MAX:
        return await missing(request, KeyError())
    try:
        return customer_id, await board_of(request).portraits.of(customer_id)
    except ChurnwatchError as error:  # Redis is away, or the state is of a newer schema, or forged
        return away(request, str(error))


def timeline(portrait: Portrait | None, alerts: list[Alert], outcomes: list[dict[str, Any]]) -> list[Entry]:
    """Return everything in one list, the latest first."""
    entries = [Entry(moment.at_ms, moment=moment) for moment in (portrait.moments if portrait else ())]
    entries += [Entry(parse_instant(alert.raised_at), alert=alert) for alert in alerts]
    entries += [Entry(outcome["occurred_at"], outcome=outcome) for outcome in outcomes]
    entries += [Entry(at_ms, risk=risk) for at_ms, risk in (portrait.risks if portrait else ())]
    return sorted(entries, key=lambda entry: -entry.at_ms)


def risks_of(portrait: Portrait, alerts: list[Alert]) -> list[tuple[int, float]]:
    """Return the risk over time, oldest first: as said in alerts, as far back as they are known, and at the latest weekly looks."""
    told = {parse_instant(alert.raised_at): alert.risk for alert in alerts if alert.kind != "churned"}
    return sorted((told | dict(portrait.risks)).items())
