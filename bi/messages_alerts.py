"""The rows of an alert: the message, its reasons, its episode, the customer, and the risk of that day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from alerts.alert import Alert, decode
from bi.cells import day, decimal, instant, name, text, whole
from bi.rows import Cell, Cells, Row
from streams.codec import RawRecord
from streams.errors import Corrupt
from streams.time import parse_instant

REASONS_MAX: Final = 20
"""An alert has a handful; one with more is not Churnwatch's."""

STATES: Final = {"opened": "open", "escalated": "open", "resolved": "resolved", "churned": "churned"}


def alert_rows(record: RawRecord) -> tuple[str, Iterator[Row]]:
    """Return whom an alert is about, and its rows; raises Corrupt or NewerSchema."""
    alert = decode(record.value or b"")
    if len(alert.reasons) > REASONS_MAX:
        raise Corrupt(f"an alert gives {len(alert.reasons)} reasons, at most {REASONS_MAX} are read")
    if record.key is not None and record.key != alert.customer_id.encode("utf-8", "replace"):
        raise Corrupt("an alert's key is not its customer_id")
    return name(alert.customer_id), _rows(alert, record)


def _rows(alert: Alert, record: RawRecord) -> Iterator[Row]:
    at_ms = parse_instant(alert.raised_at)
    customer_id, alert_id = name(alert.customer_id), name(alert.alert_id)
    yield Row("dim_customer", {"customer_id": customer_id})
    yield _message(alert, record, at_ms)
    for rank, reason in enumerate(alert.reasons, start=1):
        yield Row(
            "fact_alert_reason",
            {
                "alert_id": alert_id,
                "rank": rank,
                "customer_id": customer_id,
                "raised_on": day(at_ms),
                "reason": reason.code,
                "weight": decimal(reason.weight),
                "evidence": text(reason.evidence),
            },
        )
    yield Row("fact_episode", _episode(alert, record, at_ms))
    if alert.kind in ("opened", "escalated"):  # a band at its end is the highest that it had, not the customer's
        yield Row(
            "fact_daily_score",
            {
                "customer_id": customer_id,
                "day": day(at_ms),
                "band": alert.band,
                "risk": decimal(alert.risk),
                "segment": text(alert.segment),
                "model_version": text(alert.model.version),
                "scored_at": instant(at_ms),
                "from_score": 0,
                "source_offset": whole(record.offset),
            },
        )


def _message(alert: Alert, record: RawRecord, at_ms: int) -> Row:
    said = {header: value for header, value in record.headers if header.startswith("churnwatch.")}
    stake = alert.value_at_risk
    return Row(
        "fact_alert",
        {
            "alert_id": name(alert.alert_id),
            "episode_id": name(alert.episode_id),
            "customer_id": name(alert.customer_id),
            "kind": alert.kind,
            "raised_at": instant(at_ms),
            "raised_on": day(at_ms),
            "segment": text(alert.segment),
            "band": alert.band,
            "risk": decimal(alert.risk),
            "threshold": decimal(alert.threshold),
            "value_at_risk": decimal(stake.amount),
            "currency": text(stake.currency),
            "horizon_days": whole(stake.horizon_days),
            "holdout": alert.holdout,
            "owner": _header(said.get("churnwatch.owner")),
            "plan": _header(said.get("churnwatch.plan")),
            "model_version": text(alert.model.version),
            "model_examples": whole(alert.model.examples),
            "trigger_kind": alert.trigger.kind,
            "trigger_topic": text(alert.trigger.topic),
            **_first(alert),
        },
    )


def _first(alert: Alert) -> Cells:
    """The first reason and the first action; nothing where there is none."""
    found: Cells = {}
    if alert.reasons:
        found |= {"reason": alert.reasons[0].code, "evidence": text(alert.reasons[0].evidence)}
    if alert.actions:
        found |= {"action": text(alert.actions[0].code), "action_title": text(alert.actions[0].title)}
    return found


def _episode(alert: Alert, record: RawRecord, at_ms: int) -> Cells:
    at = instant(at_ms)
    row: Cells = {
        "episode_id": name(alert.episode_id),
        "customer_id": name(alert.customer_id),
        "state": STATES[alert.kind],
        "band": alert.band,
        "risk": decimal(alert.risk),
        "changed_at": at,
        "last_alert_id": name(alert.alert_id),
        "alert_offset": whole(record.offset),
        f"{alert.kind}_at": at,
    }
    if alert.kind != "opened":
        return row
    first = _first(alert)
    opening: dict[str, Cell] = {
        "opened_on": day(at_ms),
        "segment": text(alert.segment),
        "reason": first.get("reason"),
        "action": first.get("action"),
        "opening_risk": decimal(alert.risk),
        "value_at_risk": decimal(alert.value_at_risk.amount),
        "currency": text(alert.value_at_risk.currency),
        "holdout": alert.holdout,
        "owner": _header(dict(record.headers).get("churnwatch.owner")),
    }
    return row | opening


def _header(value: bytes | None) -> str | None:
    return None if value is None else text(value.decode("utf-8", "replace"))
