"""What the pipeline makes of the playbook: suggestions rest, budgets are counted and kept, what was learnt is heeded."""

from dataclasses import replace

import msgspec

from agents.guides import GuideBook
from agents.look import Desk
from agents.pipeline import Pipeline
from alerts.bandit import RATES, estimates
from alerts.play import Play
from alerts.play_budget import CUTS
from alerts.policy import Policy
from streams.time import DAY_MS, day_of, parse_instant
from tests.unit.agents.samples import KEEPING, POLICY, QUESTION, herald, silence_guide
from tests.unit.agents.shop import Shop, said

CALL = Play("call", "Call", "{evidence}", 1.0, channel="call", cool_down_ms=400 * DAY_MS, budget_per_day=1.0)
NOTE = Play("note", "Note", "{evidence}", 0.5, channel="email")
PLAYS = (CALL, NOTE)
ALL = replace(POLICY, holdout_share=0.0)


def shop(policy: Policy = ALL, *, exploration: float | None = None, extra: dict[str, object] | None = None) -> Shop:
    told = replace(herald(), plays=PLAYS, exploration=exploration)
    guide = msgspec.structs.replace(silence_guide(), extra=extra or {})
    return Shop(Pipeline(Desk(policy, told, QUESTION), QUESTION, KEEPING), GuideBook(guide))


def actions(made: Shop, days: float = 60) -> dict[str, list[str]]:
    """Kind of alert to the actions suggested, for a regular who falls silent."""
    made.regular("ann", orders=8)
    return {alert.kind: [action.code for action in alert.actions] for alert in said(made.wait(days))}


def test_what_was_suggested_is_remembered_and_not_repeated_while_it_rests() -> None:
    made = shop()
    found = actions(made)
    assert found["opened"] == ["call", "note"]
    assert found["escalated"] == ["note"]
    assert list(made.customers["ann"].suggested) == ["call"], "what does not rest need not be remembered"


def test_who_is_held_out_is_given_nothing_and_nothing_is_counted() -> None:
    made = shop(replace(POLICY, holdout_share=1.0))
    made.regular("ann", orders=8)
    effects = made.wait(60)
    assert {len(alert.actions) for alert in said(effects)} == {0}
    assert made.customers["ann"].suggested == {}
    assert not any(key.startswith("wanted|") for counts in effects.stats.take().values() for key in counts[3])


def test_what_is_wanted_of_a_budget_is_booked_on_its_day() -> None:
    made = shop()
    made.regular("ann", orders=8)
    effects = made.wait(60)
    (opened,) = [alert for alert in said(effects) if alert.kind == "opened"]
    stats = effects.stats.take()
    booked = {day: [key for key in counts[3] if key.startswith("wanted|")] for day, counts in stats.items()}
    (day,) = [day for day, keys in booked.items() if keys]
    assert day == day_of(parse_instant(opened.raised_at))
    assert [key.rpartition("|")[0] for key in booked[day]] == ["wanted|call"] * 2
    assert "wanted|call|given" in booked[day]


def test_the_guides_cut_keeps_an_action_for_those_with_more_at_stake() -> None:
    assert actions(shop(extra={CUTS: {"call": 1e9}}))["opened"] == ["note"]
    assert actions(shop(extra={CUTS: {"call": 0.01}}))["opened"] == ["call", "note"]
    assert actions(shop(extra={CUTS: "nonsense"}))["opened"] == ["call", "note"]


def test_what_was_learnt_is_heeded_only_where_it_was_asked_for() -> None:
    sums = {(f"{segment}|engagement", "note"): (500, 450) for segment in ("loyal", "new", "high_value", "standard")}
    sums |= {(context, "call"): (500, 100) for context, _ in sums}
    rates: dict[str, object] = {RATES: estimates(sums)}
    assert actions(shop(extra=rates))["opened"] == ["call", "note"]
    assert actions(shop(exploration=0.0, extra=rates))["opened"] == ["note", "call"]
    assert actions(shop(exploration=0.0, extra={RATES: "nonsense"}))["opened"] == ["call", "note"]
