"""A source that is down is told from customers who have fallen silent, and said so once."""

import logging

import pytest

from agents.sources import Outages, latest_heard, silent_topics
from streams.time import DAY_MS, HOUR_MS
from tests.unit.agents.samples import START_MS

HEARD = latest_heard([{"orders": 1_000, "logins": 5_000}, {"orders": 2_000}])
SILENT_MS = 36 * HOUR_MS


@pytest.mark.parametrize(
    ("now_ms", "caught_up", "silent"),
    [
        (2_500, {"orders": True, "logins": True}, set()),
        (3_001, {"orders": True, "logins": True}, {"orders"}),
        (3_001, {"orders": False, "logins": True}, set()),
        (9_000, {"orders": True, "logins": True, "reviews": True}, {"orders", "logins"}),
    ],
)
def test_silent_means_heard_before_and_nothing_since_nor_waiting(
    now_ms: int, caught_up: dict[str, bool], silent: set[str]
) -> None:
    assert silent_topics(HEARD, caught_up, now_ms, silent_ms=1_000) == silent


def told(outages: Outages, orders_ms: int, now_ms: int) -> None:
    heard_ms = {"orders": orders_ms, "reviews": now_ms}
    caught_up = dict.fromkeys(heard_ms, True)
    outages.note(heard_ms, silent_topics(heard_ms, caught_up, now_ms, SILENT_MS), now_ms)


def test_an_outage_is_told_once_when_it_begins_and_once_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "churnwatch.sources")
    outages = Outages(frozenset({"orders"}), "CHURNWATCH_SILENCE_SOURCES", SILENT_MS)
    for hour in range(48):
        told(outages, START_MS, START_MS + hour * HOUR_MS)
    (begun,) = caplog.messages
    assert begun.startswith("Nothing has come on orders since 1996-11-04T00:00:00Z: its source counts as down. ")
    assert begun.endswith("Take it out of CHURNWATCH_SILENCE_SOURCES if it was switched off for good")
    back_ms = START_MS + 2 * DAY_MS
    for hour in range(48):  # its backlog comes
        told(outages, START_MS + hour * HOUR_MS, back_ms)
    assert caplog.messages[1:] == ["orders is heard again; before, nothing had come since 1996-11-04T00:00:00Z"]


def test_a_source_that_nobody_is_judged_by_is_only_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "churnwatch.sources")
    outages = Outages(frozenset(), "CHURNWATCH_SILENCE_SOURCES", SILENT_MS)
    told(outages, START_MS, START_MS + 2 * DAY_MS)
    assert caplog.messages == ["Nothing has come on orders since 1996-11-04T00:00:00Z: its source counts as down"]


def test_what_went_to_another_worker_is_not_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "churnwatch.sources")
    outages = Outages(frozenset(), "", SILENT_MS)
    told(outages, START_MS, START_MS + 2 * DAY_MS)
    outages.note({}, frozenset(), START_MS + 2 * DAY_MS)
    assert len(caplog.messages) == 1
    told(outages, START_MS, START_MS + 2 * DAY_MS)
    assert len(caplog.messages) == 2
