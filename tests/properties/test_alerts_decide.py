"""Any history of looks and outcomes: episodes keep their grammar, ids are unique, the same input gives the same alerts.

Risks and thresholds are multiples of 1/64, so that sums of them are exact and the oracle need not allow for rounding.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from alerts.alert import SILENCE, build, decode, encode, model_stamp
from alerts.bands import RANK, band_of
from alerts.budget import crossings
from alerts.change import lifted
from alerts.counts import EDGES, StatsBuilder
from alerts.decide import Assessment, decide
from alerts.episode import REMINDERS_MAX, Episode, Transition, alert_id
from alerts.outcomes import apply_outcome
from alerts.policy import Policy
from alerts.segments import SEGMENTS
from streams.events import Outcome
from streams.forms import event_of
from streams.time import DAY_MS

Look = dict[str, Any]
RISKS = st.integers(0, 64).map(lambda n: n / 64)
LOOKS = st.lists(
    st.fixed_dictionaries(
        {
            "days": st.integers(0, 20),
            "risk": RISKS,
            "threshold": st.sampled_from([0.375, 0.5, 0.625, 0.75]),
            "ordered": st.booleans(),
            "segment": st.sampled_from(SEGMENTS),
            "basis": st.sampled_from(["model", "model", "model", "rule"]),
            "order_days": st.sampled_from([1, 2, 5]),
            "gone": st.sampled_from([False] * 9 + [True]),
            "cancelled": st.sampled_from([False] * 9 + [True]),
            "held": st.sampled_from([False] * 5 + [True]),
            "lift": st.sampled_from([0.0, 0.0, 0.75, -0.5]),
            "heard": st.booleans(),
            "outcome": st.sampled_from([None] * 6 + ["snoozed", "false_alarm", "contacted"]),
        }
    ),
    max_size=60,
)
POLICIES = st.builds(
    Policy,
    hysteresis=st.sampled_from([0.0, 0.125]),
    cool_down_ms=st.sampled_from([0, 14 * DAY_MS]),
    cool_down_break=st.booleans(),
    resolve_on_return=st.booleans(),
)


def play(looks: list[Look], policy: Policy, *, stored: bool = False) -> tuple[list[Transition], Episode]:
    """Run one customer through the looks; with `stored` the episode is packed and unpacked between any two."""
    episode, day, seen_ms = Episode(), 100, 0
    raised: list[Transition] = []
    for look in looks:
        day += look["days"]
        seen_ms = day * DAY_MS if look["ordered"] else seen_ms
        names = ("risk", "segment", "order_days", "basis", "gone", "cancelled", "held", "heard", "lift")
        given_now = {name: look[name] for name in names} | {"last_seen_ms": seen_ms}
        assessment = Assessment("c-1", day * DAY_MS, **given_now)
        raised += decide(episode, assessment, look["threshold"], policy)
        if look["outcome"]:
            raised += apply_outcome(episode, outcome(episode, look["outcome"], day), policy)
        if stored:
            episode = msgspec.msgpack.decode(msgspec.msgpack.encode(episode), type=Episode)
    return raised, episode


def outcome(episode: Episode, status: str, day: int) -> Outcome:
    about = alert_id("c-1", episode.life_day, episode.number, max(episode.seq, 1))
    given = {"event_id": "e", "customer_id": "c-1", "occurred_at": day * DAY_MS, "alert_id": about, "status": status}
    told = event_of("outcomes", given)
    assert isinstance(told, Outcome)
    return told


@given(LOOKS, POLICIES)
def test_episodes_keep_their_grammar(looks: list[Look], policy: Policy) -> None:
    """opened, then escalated with rising bands or to remind, then resolved or churned; or churned alone; a return closes that."""
    raised, episode = play(looks, policy)
    current: Transition | None = None
    lost: Transition | None = None
    for step in raised:
        if step.cause == "won_back":
            assert current is None
            assert lost is not None
            assert (step.kind, step.episode_id) == ("resolved", lost.episode_id)
            lost = None
            continue
        if step.kind == "opened" or current is None:
            assert current is None, "opened while another is open"
            assert step.kind == "opened" or (step.kind, step.cause) == ("churned", "cancelled")
        else:
            assert step.episode_id == current.episode_id
            assert RANK[step.band] >= RANK[current.band]
        if step.kind == "escalated":
            assert current is not None
            assert RANK[step.band] > RANK[current.band] or step.cause in ("untaken", "snooze_over")
        lost = step if step.kind == "churned" else lost
        current = step if step.kind in ("opened", "escalated") else None
    assert episode.open is (current is not None)
    assert episode.number == len({step.episode_id for step in raised})


@given(LOOKS, POLICIES)
def test_ids_are_unique_and_the_same_input_gives_the_same_bytes(looks: list[Look], policy: Policy) -> None:
    raised, episode = play(looks, policy)
    assert len({step.alert_id for step in raised}) == len(raised)
    again, stored = play(looks, policy, stored=True)
    assert (again, stored) == (raised, episode)
    for first, second in zip(raised, again, strict=True):
        one, two = (
            encode(
                build(
                    step,
                    annual_value=100 / 3,
                    currency="EUR",
                    reasons=[],
                    actions=[],
                    model=model_stamp(step.basis, 7, 900),
                    trigger=SILENCE,
                )
            )
            for step in (first, second)
        )
        assert one == two == encode(decode(one))


@given(LOOKS, POLICIES)
def test_the_past_is_never_rewritten(looks: list[Look], policy: Policy) -> None:
    raised, _ = play(looks, policy)
    earlier, _ = play(looks[: len(looks) // 2], policy)
    assert raised[: len(earlier)] == earlier


@given(LOOKS, POLICIES)
def test_what_is_opened_for_its_change_stands_above_its_own_threshold_and_the_floor(
    looks: list[Look], policy: Policy
) -> None:
    for step in play(looks, policy)[0]:
        if step.kind == "opened":
            assert step.risk >= step.threshold >= min(policy.floor(step.segment), 0.375)
            assert RANK[step.band] == RANK[band_of(step.risk, step.threshold)] > 0


@given(LOOKS, POLICIES)
def test_the_cool_down_holds(looks: list[Look], policy: Policy) -> None:
    policy = Policy(hysteresis=policy.hysteresis, cool_down_ms=14 * DAY_MS)
    # The return of the lost is no end of an episode: the rest began when they were lost.
    raised = [step for step in play(looks, policy)[0] if step.cause != "won_back"]
    for before, after in pairwise(raised):
        if before.kind in ("resolved", "churned") and after.kind == "opened":
            assert after.at_ms - before.at_ms >= policy.cool_down_ms


@given(LOOKS, POLICIES)
def test_reminders_are_few_and_only_where_nobody_has_taken_the_alert(looks: list[Look], policy: Policy) -> None:
    raised, _ = play(looks, policy)
    reminded = Counter(step.episode_id for step in raised if step.cause == "untaken")
    assert max(reminded.values(), default=0) <= REMINDERS_MAX
    unheard = [look | {"heard": False} for look in looks]
    assert "untaken" not in {step.cause for step in play(unheard, policy)[0]}
    taken = [look | {"outcome": "contacted", "days": look["days"] + 1} for look in looks]
    assert not {step.cause for step in play(taken, policy)[0]} & {"untaken", "snooze_over"}


@given(LOOKS, POLICIES)
def test_nothing_is_opened_or_escalated_in_the_dark(looks: list[Look], policy: Policy) -> None:
    """Not for those who are gone, not on an order, not in an outage, not below the threshold."""
    dark = [look | {"held": True} for look in looks]
    assert not {step.kind for step in play(dark, policy)[0]} & {"opened", "escalated"}
    ordering = [look | {"ordered": True, "days": max(look["days"], 1)} for look in looks]
    assert "opened" not in {step.kind for step in play(ordering, policy)[0]}
    low = [
        look | {"risk": min(look["risk"], look["threshold"] - 1 / 64), "lift": min(look["lift"], 0.0)} for look in looks
    ]
    assert "opened" not in {step.kind for step in play(low, policy)[0]}


@given(st.lists(st.integers(-7, 7).map(lambda n: n / 64), min_size=1, max_size=60))
def test_a_risk_that_stays_within_the_slack_is_one_alert_at_most(wiggles: list[float]) -> None:
    """Around .625, within a hysteresis of 1/8 and below the next band's edge."""
    policy = Policy(hysteresis=0.125)
    episode = Episode()
    raised: list[Transition] = []
    for day, risk in enumerate([0.25, 0.625, *(0.625 + wiggle for wiggle in wiggles)]):
        assessment = Assessment("c-1", (100 + 15 * day) * DAY_MS, risk, "loyal", 5, 100 * DAY_MS)
        raised += decide(episode, assessment, 0.625, policy)
    assert [step.kind for step in raised] == ["opened"]


class Relay:
    """The oracle: one threshold with hysteresis, open or not, as one would write it down for a single threshold."""

    def __init__(self, threshold: float, first: float, slack: float) -> None:
        self.threshold, self.slack = threshold, slack
        self.open = first >= threshold
        self.openings = 0

    def look(self, risk: float) -> None:
        if not self.open and risk >= self.threshold:
            self.open = True
            self.openings += 1
        elif self.open and risk + self.slack < self.threshold:
            self.open = False


@given(
    st.lists(st.tuples(RISKS, st.sampled_from([0.0, 0.75, -0.5])), min_size=1, max_size=40),
    st.sampled_from([0.0, 0.125, 0.25]),
)
@example([(0.0, 0.0), (47 / 64, -0.5), (29 / 64, 0.75)], 0.0)
def test_the_tally_knows_what_every_threshold_would_have_raised(looks: list[tuple[float, float]], slack: float) -> None:
    """The counts of one run equal a relay for each of the 200 thresholds, though only one of them was in force."""
    policy = Policy(hysteresis=slack, cool_down_ms=0)
    floor = policy.floor("loyal")
    relays = [Relay(edge, lifted(*looks[0], floor), slack) for edge in EDGES]
    stats, episode = StatsBuilder(), Episode()
    for day, (risk, by) in enumerate(looks):
        assessment = Assessment("c-1", (100 + day) * DAY_MS, risk, "loyal", 5, 0, lift=by)
        decide(episode, assessment, 0.625, policy, stats)
        for relay in relays:
            relay.look(lifted(risk, by, floor))
    counted = [0] * len(EDGES)
    for rises, *_ in stats.take().values():
        for index, count in enumerate(crossings(rises.get("loyal", {}))):
            counted[index] += count
    assert counted == [relay.openings for relay in relays]


@given(st.lists(RISKS, min_size=1, max_size=40), st.sampled_from([0.375, 0.5, 0.75]))
def test_the_tally_at_the_threshold_in_force_is_what_was_opened(risks: list[float], threshold: float) -> None:
    policy = Policy(hysteresis=0.125, cool_down_ms=0)
    stats, episode, opened = StatsBuilder(), Episode(), 0
    for day, risk in enumerate([0.0, *risks]):
        assessment = Assessment("c-1", (100 + day) * DAY_MS, risk, "loyal", 5, 0)
        opened += sum(step.kind == "opened" for step in decide(episode, assessment, threshold, policy, stats))
    index = EDGES.index(threshold)
    assert opened == sum(crossings(rises.get("loyal", {}))[index] for rises, *_ in stats.take().values())
