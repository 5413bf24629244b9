"""A customer who stops ordering, and no event after: a wake-up raises the alert, at the instant that the ladder says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.installation import Installation, installation
from chaos.logs import QUICK
from churnwatch.services import Services
from streams.time import DAY_MS, iso
from tests.integration.worker_logs import HOUR_MS, START_MS, order, write

pytestmark = pytest.mark.slow

FIRST_MS = START_MS + 9 * HOUR_MS
LAST_MS = FIRST_MS + 28 * DAY_MS
"""A Monday morning: of the rungs, none falls together with the weekly grid."""

# By the rule: the rhythm is (14 gaps of 2 days and one of 30) / 15 = 3.87 days, so the risk passes .5 (the threshold while nothing
# is known, with a floor of 0) after 7.73 days of silence; the next rung after that is the tenth day's.
OPENED_MS = LAST_MS + 10 * DAY_MS
SETTINGS = QUICK | {f"alert_floor_{segment}": 0.0 for segment in ("new", "standard", "loyal", "high_value")}


def regular() -> list[dict[str, Any]]:
    """Fifteen orders, one every other day."""
    return [order("ann", FIRST_MS + number * 2 * DAY_MS, number) for number in range(15)]


@pytest.fixture
def lab(services: Services, topic_prefix: str, namespace: str, tmp_path: Path) -> Iterator[Installation]:
    with installation(
        services, topic_prefix, namespace, tmp_path, clock="replay", learning_enabled=False, **SETTINGS
    ) as made:
        made.publish(write(tmp_path / "log.jsonl", regular()))
        yield made


def alerts(lab: Installation) -> list[dict[str, Any]]:
    return [json.loads(record.value) for record in lab.alerts()]


def run_until(lab: Installation, until_ms: int) -> None:
    worker = lab.start(REPLAY_UNTIL=iso(until_ms))
    lab.until(until_ms)
    assert worker.terminate() == 0
    lab.workers.remove(worker)


def test_alert_by_a_wake_up_across_a_restart(lab: Installation) -> None:
    run_until(lab, LAST_MS)
    assert alerts(lab) == []
    assert lab.held().timers == {"ann": LAST_MS + DAY_MS}
    # Another worker, later: its first wake-up is the one that its predecessor has left behind.
    run_until(lab, OPENED_MS - 1)
    assert alerts(lab) == []
    assert lab.held().timers == {"ann": OPENED_MS}
    run_until(lab, OPENED_MS)
    (opened,) = alerts(lab)
    assert (opened["customer_id"], opened["kind"], opened["raised_at"]) == ("ann", "opened", iso(OPENED_MS))
    assert opened["trigger"] == {"kind": "silence", "topic": None, "partition": None, "offset": None}
    assert opened["risk"] >= opened["threshold"]
    assert opened["reasons"][0]["evidence"].startswith("No order for 10 days")
    # And on to the end: the risk rises with every rung until the customer counts as gone.
    gone_ms = (LAST_MS // DAY_MS + 28) * DAY_MS
    run_until(lab, gone_ms + DAY_MS)
    told = alerts(lab)
    assert [alert["kind"] for alert in told] == ["opened", *["escalated"] * (len(told) - 2), "churned"]
    assert len(told) > 2
    assert [alert["risk"] for alert in told] == sorted(alert["risk"] for alert in told)
    assert told[-1]["raised_at"] == iso(gone_ms)
    assert len({alert["alert_id"] for alert in told}) == len(told)
    assert len({alert["episode_id"] for alert in told}) == 1


def test_the_same_without_a_restart(lab: Installation) -> None:
    until_ms = LAST_MS + 40 * DAY_MS
    run_until(lab, until_ms)
    told = alerts(lab)
    assert [alert["kind"] for alert in told][:: len(told) - 1] == ["opened", "churned"]
    assert told[0]["raised_at"] == iso(OPENED_MS)
    assert {alert["trigger"]["kind"] for alert in told} == {"silence"}
