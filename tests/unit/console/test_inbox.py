"""The inbox holds what the messages say, whatever order the topics give them in."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from alerts.alert import Alert
from alerts.score import Score
from alerts.score import build as build_score
from console.inbox import SNOOZE_MS, Inbox
from console.questions import Filter, alerts_of, customers_by_band, episode, outcomes_of, page
from streams.events import Outcome
from streams.time import DAY_MS
from tests.unit.console.shop import NOW_MS, STAMP, alert, outcome

Message = Alert | Outcome


def taken(alerts: Sequence[Alert], outcomes: Sequence[Outcome]) -> Inbox:
    inbox = Inbox()
    inbox.take_alerts((alert, "ann") for alert in alerts)
    inbox.take_outcomes(outcomes)
    return inbox


def test_an_episode_stands_where_its_last_alert_left_it() -> None:
    first, second = alert("c1", amount=100.0), alert("c1", seq=2, kind="escalated", band="critical", amount=300.0)
    inbox = taken([first, second], [])
    (row,) = page(inbox, Filter(), NOW_MS).rows
    assert (row.band, row.amount, row.alert_id, row.state, row.owner) == (
        "critical",
        300.0,
        second.alert_id,
        "new",
        "ann",
    )
    assert row.opened_ms < row.changed_ms
    assert row.alert == second
    assert alerts_of(inbox, "c1") == [second, first]


def test_one_that_ends_leaves_the_open_ones() -> None:
    inbox = taken([alert("c1"), alert("c1", seq=2, kind="resolved")], [])
    assert page(inbox, Filter(), NOW_MS).total == 0
    assert [row.state for row in page(inbox, Filter(state="resolved"), NOW_MS).rows] == ["resolved"]


def test_a_redelivered_alert_changes_nothing() -> None:
    inbox = taken([alert("c1")], [])
    assert inbox.take_alerts([(alert("c1"), "ann")]) == []


def test_the_latest_report_by_its_own_time_counts() -> None:
    told = alert("c1")
    later, earlier = outcome(told, "contacted", NOW_MS - 1), outcome(told, "acknowledged", NOW_MS - 2)
    inbox = taken([told], [later, earlier, later])
    assert [row.state for row in page(inbox, Filter(), NOW_MS).rows] == ["contacted"]
    assert [told["status"] for told in outcomes_of(inbox, "c1")] == ["contacted", "acknowledged"]


def test_a_report_waits_for_its_alert() -> None:
    told = alert("c1")
    inbox = Inbox()
    assert inbox.take_outcomes([outcome(told, "accepted", NOW_MS)]) == []
    assert inbox.take_alerts([(told, None)]) == [told.episode_id]
    row = episode(inbox, told.episode_id, NOW_MS)
    assert row is not None
    assert row.state == "accepted"


def test_a_report_of_somebody_else_s_alert_changes_nothing() -> None:
    told = alert("c1")
    forged = structs.replace(outcome(told, "declined", NOW_MS), customer_id="c2")
    assert [row.state for row in page(taken([told], [forged]), Filter(), NOW_MS).rows] == ["new"]


def test_a_snooze_ends_by_itself() -> None:
    told = alert("c1")
    inbox = taken([told], [outcome(told, "snoozed", NOW_MS)])
    states = [
        page(inbox, Filter(), at_ms).rows[0].state for at_ms in (NOW_MS, NOW_MS + SNOOZE_MS - 1, NOW_MS + SNOOZE_MS)
    ]
    assert states == ["snoozed", "snoozed", "new"]
    assert page(inbox, Filter(state="new"), NOW_MS + SNOOZE_MS).total == 1


def test_what_ended_long_ago_is_forgotten_and_what_is_open_is_not() -> None:
    ended = alert("c1", seq=2, kind="churned")
    inbox = taken([alert("c1"), ended, alert("c2")], [outcome(ended, "contacted", NOW_MS)])
    assert inbox.forget_before(NOW_MS + DAY_MS) == 1
    assert (alerts_of(inbox, "c1"), outcomes_of(inbox, "c1")) == ([], [])
    assert page(inbox, Filter(), NOW_MS).total == 1


def test_scores_are_the_latest_and_go_with_a_tombstone() -> None:
    def score(customer: str, band: str) -> Score:
        return build_score(
            customer_id=customer, at_ms=NOW_MS, risk=0.5, band=band, previous_band=None, segment="loyal", model=STAMP  # type: ignore[arg-type]
        )  # fmt: skip

    inbox = Inbox()
    inbox.take_scores([score("c1", "low"), score("c2", "high"), score("c1", "critical")])
    assert customers_by_band(inbox) == {("loyal", "high"): 1, ("loyal", "critical"): 1}
    inbox.take_scores([], gone=["c2", "c3"])
    assert customers_by_band(inbox) == {("loyal", "critical"): 1}


ALERTS = [alert(c, seq=s, kind=k) for c in ("c1", "c2") for s, k in ((1, "opened"), (2, "escalated"), (3, "resolved"))]
REPORTS = [outcome(told, status, NOW_MS + at) for at, (told, status) in enumerate(
    (told, status) for told in ALERTS[::2] for status in ("acknowledged", "snoozed", "declined")
)]  # fmt: skip


@given(st.lists(st.sampled_from(REPORTS), max_size=12), st.integers(0, len(ALERTS)), st.integers(0, 12), st.data())
def test_the_order_of_the_topics_makes_no_difference(
    reports: list[Outcome], alerts: int, cut: int, data: st.DataObject
) -> None:
    """Alerts come in their order; reports come whenever, in any order, more than once."""
    told = ALERTS[:alerts]
    mixed, together = Inbox(), taken(told, reports)
    first = data.draw(st.integers(0, alerts))
    mixed.take_outcomes(reports[:cut])
    mixed.take_alerts((alert, "ann") for alert in told[:first])
    mixed.take_outcomes(reversed(reports))
    mixed.take_alerts((alert, "ann") for alert in told)
    for inbox in (mixed, together):
        inbox.take_outcomes(reports[:1])
    for table in ("episodes", "alerts", "outcomes"):
        rows = [[tuple(row) for row in inbox.ask(f"SELECT * FROM {table} ORDER BY 1")] for inbox in (mixed, together)]
        assert rows[0] == rows[1]
