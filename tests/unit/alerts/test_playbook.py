from typing import Any

import msgspec
import pytest

from alerts.alert import CODES, Code, Reason
from alerts.bands import BANDS
from alerts.episode import Transition
from alerts.play import Play
from alerts.playbook import ACTIONS_MAX, Case, remember, suggest
from alerts.segments import SEGMENTS
from churnwatch.playbook_file import read_playbook
from streams.time import DAY_MS, HOUR_MS

DEFAULT_PLAYBOOK = read_playbook(None)
STEP = Transition("opened", "rise", "c-1", "e", "a", 0, 0.7, 0.6, "high", "loyal", "model", holdout=False)


def because(code: Code, weight: float = 1.0) -> Reason:
    return Reason(code, weight, f"evidence of {code}", {})


def codes(
    reasons: list[Reason],
    plays: tuple[Play, ...] = DEFAULT_PLAYBOOK,
    *,
    value: float = 100.0,
    silent: bool = False,
    suggested: dict[str, int] | None = None,
    cuts: dict[str, float] | None = None,
    **step: Any,
) -> list[str]:
    transition = msgspec.structs.replace(STEP, **step)
    case = Case(value, "EUR", silent, suggested or {})
    return [action.code for action in suggest(transition, reasons, case, plays, cuts or {}).actions]


def why(reasons: list[Reason], plays: tuple[Play, ...], case: Case, cuts: dict[str, float] | None = None) -> list[str]:
    return [action.why for action in suggest(STEP, reasons, case, plays, cuts or {}).actions]


def test_the_weightier_reason_is_answered_first() -> None:
    plays = (Play("a", "A", "", 1.0, reasons=("service",)), Play("b", "B", "", 1.0, reasons=("price",)))
    assert codes([because("price", 0.7), because("service", 0.3)], plays) == ["b", "a"]
    assert codes([because("service", 0.7), because("price", 0.3)], plays) == ["a", "b"]


def test_of_equally_good_plays_the_earlier_one_comes_first() -> None:
    plays = tuple(Play(code, code, "", 0.5) for code in "xyz")
    assert codes([because("engagement")], plays) == ["x", "y", "z"]


def test_a_play_is_suggested_once_and_no_more_than_three() -> None:
    plays = (Play("a", "A", "", 1.0), Play("a", "A", "", 0.9), *(Play(f"b{n}", "B", "", 0.5) for n in range(5)))
    assert codes([because("engagement")], plays) == ["a", "b0", "b1"]


def test_the_why_quotes_the_evidence_that_is_answered() -> None:
    plays = (Play("a", "A", "Since {evidence}.", 1.0, reasons=("service",)),)
    (said,) = why([because("price", 0.7), because("service", 0.3)], plays, Case(1.0))
    assert said.startswith("Since evidence of service. ")


def test_curly_braces_in_evidence_do_no_harm() -> None:
    play = Play("a", "A", "Since {evidence}.", 1.0)
    reason = Reason("engagement", 1.0, "{evidence} {0} {", {})
    (said,) = why([reason], (play,), Case(1.0))
    assert said.startswith("Since {evidence} {0} {. ")


def test_a_play_can_ask_for_segment_band_and_value() -> None:
    plays = (Play("a", "A", "", 1.0, segments=("new",), bands=("critical",), value_at_risk_min=50.0),)
    fits: dict[str, Any] = {"segment": "new", "band": "critical", "value": 50.0}
    assert codes([because("price")], plays, **fits) == ["a"]
    for change in ({"segment": "loyal"}, {"band": "high"}, {"value": 49.0}):
        assert codes([because("price")], plays, **fits | change) == []


def test_resolved_and_held_out_get_nothing() -> None:
    assert codes([because("engagement")], kind="resolved") == []
    assert codes([because("engagement")], holdout=True) == []


def test_the_lost_are_invited_back() -> None:
    assert codes([because("price")], kind="churned") == ["win_back"]


def test_who_must_not_be_contacted_is_not() -> None:
    contacting = {play.code for play in DEFAULT_PLAYBOOK if play.contact}
    for code in CODES:
        assert not contacting & set(codes([because(code)], silent=True))


@pytest.mark.parametrize("segment", SEGMENTS)
@pytest.mark.parametrize("code", CODES)
def test_the_default_playbook_answers_every_reason_in_every_segment(segment: str, code: Code) -> None:
    for band in BANDS[1:]:
        found = codes([because(code)], segment=segment, band=band)
        assert 1 <= len(found) <= ACTIONS_MAX


def test_the_default_playbook_is_in_order() -> None:
    for play in DEFAULT_PLAYBOOK:
        assert 0.0 < play.strength <= 1.0
        assert set(play.segments) <= set(SEGMENTS)
        assert "{evidence}" in play.why


def test_high_value_customers_in_trouble_get_a_person() -> None:
    assert codes([because("service")], segment="high_value")[0] == "dedicated_service"


# -- rest, cost and budget ---------------------------------------------------------------------------------------------

CALL = Play("call", "Call", "{evidence}", 1.0, channel="call", cool_down_ms=30 * DAY_MS, cost=8.0, budget_per_day=2.0)
NOTE = Play("note", "Note", "{evidence}", 0.5, channel="email")


def test_what_was_suggested_rests() -> None:
    ago = {"call": -30 * DAY_MS + 1}
    assert codes([because("price")], (CALL, NOTE), suggested=ago) == ["note"]
    assert codes([because("price")], (CALL, NOTE), suggested=ago, at_ms=1) == ["call", "note"]


def test_what_has_no_cool_down_never_rests() -> None:
    assert codes([because("price")], (NOTE,), suggested={"note": 0}) == ["note"]


def test_only_what_rests_is_remembered() -> None:
    actions = suggest(STEP, [because("price")], Case(100.0), (CALL, NOTE), {}).actions
    at_ms = 100 * DAY_MS
    remembered = remember({"left_the_playbook": at_ms, "call": 0}, actions, at_ms, (CALL, NOTE))
    assert remembered == {"call": at_ms}
    assert remember(remembered, [], at_ms + 30 * DAY_MS - 1, (CALL, NOTE)) == remembered
    assert remember(remembered, [], at_ms + 30 * DAY_MS, (CALL, NOTE)) == {}


def test_nothing_is_suggested_that_costs_as_much_as_is_at_stake() -> None:
    assert codes([because("price")], (CALL, NOTE), value=8.0) == ["note"]
    assert codes([because("price")], (CALL, NOTE), value=8.01) == ["call", "note"]
    assert codes([because("price")], (NOTE,), value=0.0) == ["note"]


def test_a_budget_is_kept_for_those_with_most_at_stake() -> None:
    assert codes([because("price")], (CALL, NOTE), value=99.0, cuts={"call": 100.0}) == ["note"]
    assert codes([because("price")], (CALL, NOTE), value=100.0, cuts={"call": 100.0}) == ["call", "note"]


def test_a_cut_for_an_action_without_a_budget_is_one_of_an_older_playbook() -> None:
    assert codes([because("price")], (NOTE,), cuts={"note": 1e9}) == ["note"]


def test_an_action_is_wanted_whether_it_is_given_or_kept_but_not_where_it_rests() -> None:
    def wanted(case: Case, plays: tuple[Play, ...] = (CALL, NOTE)) -> list[str]:
        return suggest(STEP, [because("price")], case, plays, {"call": 100.0}).wanted

    assert wanted(Case(99.0)) == wanted(Case(100.0)) == ["call"]
    assert wanted(Case(100.0, suggested={"call": 0})) == []
    better = tuple(Play(f"b{n}", "B", "", 1.0) for n in range(ACTIONS_MAX))
    assert wanted(Case(100.0), (*better, CALL)) == []
    held = msgspec.structs.replace(STEP, holdout=True)
    assert suggest(held, [because("price")], Case(100.0), (CALL,), {}).wanted == []


def test_the_why_says_what_speaks_for_it_and_what_would_come_before() -> None:
    call = Play("call", "Call", "{evidence}", 1.0, reasons=("price",), channel="call", cost=8.0, budget_per_day=2.0)
    offer = Play("offer", "Offer", "{evidence}", 0.9, reasons=("price",), channel="email", cool_down_ms=36 * HOUR_MS)
    case = Case(99.0, "EUR", suggested={"offer": 0})
    assert why([because("price", 0.6), because("service", 0.4)], (call, offer, NOTE), case, {"call": 100.0}) == [
        (
            "evidence of price. First choice: fits any reason, by e-mail. Before it would come “Call”, which is kept for those "
            "with 100 EUR and more at stake; “Offer”, which rests until 1970-01-02."
        )
    ]
    assert why([because("price", 0.6), because("service", 0.4)], (call, offer, NOTE), Case(150.0, "EUR")) == [
        "evidence of price. First choice: answers price (60 % of the reasons), by phone, costs 8 EUR with 150 EUR at stake.",
        "evidence of price. Second choice: answers price (60 % of the reasons), by e-mail, not again within 36 hours.",
        "evidence of price. Third choice: fits any reason, by e-mail.",
    ]


@pytest.mark.parametrize("segment", SEGMENTS)
def test_the_default_playbook_has_something_left_for_an_escalation(segment: str) -> None:
    reasons = [because("engagement")]
    first = codes(reasons, segment=segment, value=400.0)
    left = codes(reasons, segment=segment, value=400.0, kind="escalated", suggested=dict.fromkeys(first, 0))
    assert left
    assert not set(first) & set(left)
