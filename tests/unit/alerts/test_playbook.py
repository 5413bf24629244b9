from typing import Any

import msgspec
import pytest

from alerts.alert import CODES, Code, Reason
from alerts.bands import BANDS
from alerts.default_playbook import DEFAULT_PLAYBOOK
from alerts.episode import Transition
from alerts.playbook import ACTIONS_MAX, Play, suggest
from alerts.segments import SEGMENTS

STEP = Transition("opened", "rise", "c-1", "e", "a", 0, 0.7, 0.6, "high", "loyal", "model", holdout=False)


def because(code: Code, weight: float = 1.0) -> Reason:
    return Reason(code, weight, f"evidence of {code}", {})


def codes(
    reasons: list[Reason],
    plays: tuple[Play, ...] = DEFAULT_PLAYBOOK,
    *,
    value: float = 100.0,
    silent: bool = False,
    **step: Any,
) -> list[str]:
    transition = msgspec.structs.replace(STEP, **step)
    actions = suggest(transition, reasons, value_at_risk=value, do_not_contact=silent, plays=plays)
    return [action.code for action in actions]


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
    actions = suggest(
        STEP, [because("price", 0.7), because("service", 0.3)], value_at_risk=1.0, do_not_contact=False, plays=plays
    )
    assert [action.why for action in actions] == ["Since evidence of service."]


def test_curly_braces_in_evidence_do_no_harm() -> None:
    play = Play("a", "A", "Since {evidence}.", 1.0)
    reason = Reason("engagement", 1.0, "{evidence} {0} {", {})
    (action,) = suggest(STEP, [reason], value_at_risk=1.0, do_not_contact=False, plays=(play,))
    assert action.why == "Since {evidence} {0} {."


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
