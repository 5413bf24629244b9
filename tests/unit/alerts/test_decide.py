import timeit
from typing import Any

import msgspec
import pytest

from alerts.decide import Assessment, decide
from alerts.episode import Episode, Transition
from alerts.policy import Policy
from streams.time import DAY_MS

OPENED = [("opened", "rise")]
ESCALATED = [("escalated", "rise")]
WON_BACK = [("resolved", "won_back")]


class Case:
    """One customer, by default without a least silence; `look` gives (kind, cause) of what is raised."""

    def __init__(self, threshold: float = 0.6, **policy: Any) -> None:
        self.threshold = threshold
        self.policy = Policy(**{"min_silence_ms": 0} | policy)
        self.episode = Episode()
        self.raised: list[Transition] = []

    def look(self, day: float, risk: float, ordered: float = 0.5, **more: Any) -> list[tuple[str, str]]:
        given: dict[str, Any] = {"segment": "loyal", "order_days": 5} | more
        assessment = Assessment("c-1", int(day * DAY_MS), risk, last_seen_ms=int(ordered * DAY_MS), **given)
        steps = decide(self.episode, assessment, self.threshold, self.policy)
        self.raised += steps
        return [(step.kind, step.cause) for step in steps]


@pytest.fixture
def case() -> Case:
    """Threshold .6: exit .5, watch from .6, high from .733, critical from .867; ordered on day 0, looked at then."""
    case = Case()
    assert case.look(0.5, 0.1) == []
    return case


def test_a_risk_that_crosses_the_threshold_opens_an_episode(case: Case) -> None:
    assert case.look(5, 0.59) == []
    assert case.look(7, 0.6, value=250.0) == OPENED
    episode = case.episode
    assert (episode.open, episode.number, episode.seq, episode.band, episode.value) == (True, 1, 1, "watch", 250.0)
    assert episode.opened_ms == 7 * DAY_MS
    step = case.raised[0]
    assert (step.risk, step.threshold, step.band, step.segment, step.basis) == (0.6, 0.6, "watch", "loyal", "model")


def test_an_open_episode_is_not_announced_again(case: Case) -> None:
    case.look(7, 0.65)
    assert [case.look(day, 0.65) for day in range(8, 60)] == [[]] * 52


def test_a_risk_trembling_about_the_threshold_is_one_alert(case: Case) -> None:
    case.look(7, 0.61)
    assert [case.look(8 + day, 0.59 if day % 2 else 0.61) for day in range(40)] == [[]] * 40


def test_bands_escalate_once_each_and_only_upwards(case: Case) -> None:
    risks = [0.61, 0.72, 0.74, 0.65, 0.8, 0.87, 0.75, 0.95]
    assert [case.look(7 + day, risk) for day, risk in enumerate(risks)] == [
        OPENED, [], ESCALATED, [], [], ESCALATED, [], [],
    ]  # fmt: skip
    assert case.episode.peak_risk == 0.95
    assert [step.band for step in case.raised] == ["watch", "high", "critical"]


def test_a_risk_that_falls_below_the_exit_resolves(case: Case) -> None:
    case.look(7, 0.65)
    assert case.look(8, 0.51) == []
    assert case.look(9, 0.49) == [("resolved", "fall")]
    assert not case.episode.open
    assert case.episode.closed_ms == 9 * DAY_MS


def test_the_episode_keeps_the_threshold_that_it_was_opened_under(case: Case) -> None:
    case.look(7, 0.65)
    case.threshold = 0.9
    assert case.look(8, 0.6) == []
    assert case.look(9, 0.75) == ESCALATED
    case.threshold = 0.45
    assert case.look(10, 0.4) == []
    assert case.look(11, 0.34) == [("resolved", "fall")]
    assert case.raised[-1].threshold == 0.6


def test_an_order_resolves_whatever_the_risk(case: Case) -> None:
    case.look(7, 0.65)
    assert case.look(9, 0.7, ordered=9) == [("resolved", "return")]


def test_an_order_that_arrives_late_resolves_too(case: Case) -> None:
    case.look(7, 0.65)
    assert case.look(9, 0.61, ordered=6) == [("resolved", "return")]


def test_an_order_does_not_resolve_where_that_is_switched_off() -> None:
    case = Case(resolve_on_return=False)
    case.look(0.5, 0.1)
    case.look(7, 0.65)
    assert case.look(9, 0.65, ordered=9) == []
    assert case.look(10, 0.3, ordered=9) == [("resolved", "fall")]


def test_a_cool_down_holds_back_and_then_lets_through(case: Case) -> None:
    case.look(7, 0.65)
    case.look(9, 0.3)
    assert case.look(12, 0.8) == []
    assert case.look(22.99, 0.8) == []
    assert case.look(23, 0.8) == OPENED
    assert case.raised[-1].band == "high"
    assert case.raised[0].episode_id != case.raised[-1].episode_id


def test_a_higher_band_ends_the_cool_down_where_that_is_switched_on() -> None:
    case = Case(cool_down_break=True)
    case.look(0.5, 0.1)
    case.look(7, 0.65)
    case.look(9, 0.3)
    assert case.look(10, 0.7) == []
    assert case.look(12, 0.8) == OPENED


def test_an_order_never_opens_but_the_look_after_it_may(case: Case) -> None:
    assert case.look(5, 0.8, ordered=5) == []
    assert case.look(6, 0.8, ordered=5) == OPENED


def test_nobody_is_warned_about_before_a_least_silence() -> None:
    case = Case(min_silence_ms=7 * DAY_MS)
    assert case.look(5, 0.8, ordered=5) == []
    assert case.look(6, 0.8, ordered=5) == []
    assert case.look(11.99, 0.8, ordered=5) == []
    assert case.look(12, 0.8, ordered=5) == OPENED


def test_the_very_first_look_never_opens() -> None:
    assert Case().look(3, 0.9) == []


def test_a_customer_with_too_few_orders_is_not_warned_about(case: Case) -> None:
    assert case.look(7, 0.95, order_days=1) == []
    assert case.look(8, 0.95, order_days=2) == OPENED


def test_a_model_that_takes_over_floods_nobody(case: Case) -> None:
    case.look(5, 0.2, basis="rule")
    assert case.look(6, 0.7, basis="model") == []
    assert case.look(7, 0.72) == []
    assert case.look(8, 0.74) == OPENED, "it crossed the edge of a higher band"


def test_what_the_model_has_learnt_is_no_rise_of_the_customer(case: Case) -> None:
    case.look(5, 0.5)
    assert case.look(6, 0.58, shift=0.08, shift_since_ms=5) == []
    assert case.episode.mark == pytest.approx(0.58)
    assert case.look(7, 0.61, shift=0.08, shift_since_ms=5) == OPENED, "the shift counts once"


def test_a_threshold_that_only_the_model_has_crossed_is_not_crossed(case: Case) -> None:
    case.look(5, 0.55)
    assert case.look(6, 0.63, shift=0.08, shift_since_ms=5) == []
    assert case.look(7, 0.7, shift=0.08, shift_since_ms=5) == []
    assert case.look(8, 0.74, shift=0.08, shift_since_ms=5) == OPENED, "the edge of the next band"


def test_a_shift_is_counted_from_the_look_it_starts_at(case: Case) -> None:
    """.02 from day 5 to 6, .05 in all until 7, then counted afresh from 7."""
    marks = []
    for day, shift, since in ((5, 0.0, 0), (6, 0.02, 5), (7, 0.05, 5), (8, 0.03, 7)):
        case.look(day, 0.5, held=day > 5, shift=shift, shift_since_ms=since)
        marks.append(round(case.episode.mark, 6))
    assert marks == [0.5, 0.52, 0.55, 0.58]


def test_a_model_that_has_moved_far_is_another_one(case: Case) -> None:
    case.look(5, 0.2)
    assert case.look(6, 0.7, shift=0.3, shift_since_ms=5) == []
    assert case.episode.mark == 0.7


def test_a_model_that_has_sunk_leaves_room_for_a_rise(case: Case) -> None:
    case.look(5, 0.59)
    case.look(6, 0.52, shift=-0.08, shift_since_ms=5)
    assert case.look(7, 0.6, shift=-0.08, shift_since_ms=5) == OPENED


def test_a_threshold_that_sinks_floods_nobody(case: Case) -> None:
    case.look(5, 0.55)
    case.threshold = 0.5
    assert case.look(6, 0.56) == []
    assert case.look(7, 0.7) == OPENED


def test_an_outage_holds_back_and_then_lets_through(case: Case) -> None:
    assert case.look(7, 0.7, held=True) == []
    assert case.look(8, 0.7) == OPENED
    assert case.look(9, 0.9, held=True) == []
    assert case.look(10, 0.9) == ESCALATED
    assert case.look(11, 0.2, held=True) == [("resolved", "fall")]


def test_a_customer_who_goes_closes_the_open_episode_once(case: Case) -> None:
    case.look(7, 0.65)
    assert case.look(90, 0.9, gone=True) == [("churned", "gone")]
    assert case.look(97, 0.9, gone=True) == []
    assert (case.episode.open, case.episode.lost) == (False, True)


def test_a_customer_who_goes_without_an_episode_goes_silently(case: Case) -> None:
    assert case.look(90, 0.99, gone=True) == []
    assert case.episode.number == 0


def test_a_cancellation_closes_the_open_episode(case: Case) -> None:
    case.look(7, 0.65)
    assert case.look(9, 0.65, cancelled=True) == [("churned", "cancelled")]
    assert case.look(10, 0.65, cancelled=True) == []


def test_a_cancellation_out_of_the_blue_is_an_episode_of_its_own(case: Case) -> None:
    assert case.look(9, 0.2, cancelled=True, order_days=0) == [("churned", "cancelled")]
    step = case.raised[0]
    assert (step.band, step.risk) == ("critical", 1.0)
    assert (case.episode.number, case.episode.seq, case.episode.open) == (1, 1, False)
    assert case.look(10, 0.2, cancelled=True, gone=True) == []


def test_a_cancellation_is_announced_in_a_cool_down_too(case: Case) -> None:
    case.look(7, 0.65)
    case.look(8, 0.2)
    assert case.look(9, 0.2, cancelled=True) == [("churned", "cancelled")]
    assert case.episode.number == 2


def test_who_comes_back_can_be_lost_again(case: Case) -> None:
    case.look(7, 0.65)
    case.look(90, 0.9, gone=True)
    assert case.look(120, 0.2, ordered=120) == WON_BACK
    assert not case.episode.lost
    assert case.look(150, 0.7, ordered=120) == OPENED
    assert case.look(210, 0.9, ordered=120, gone=True) == [("churned", "gone")]
    assert case.episode.number == 2


def test_the_holdout_share_is_marked() -> None:
    for share, expected in ((0.0, False), (1.0, True)):
        case = Case(holdout_share=share)
        case.look(0.5, 0.1)
        case.look(7, 0.7)
        assert case.raised[0].holdout is expected


def test_a_rise_is_tallied_once_from_the_mark(case: Case) -> None:
    rises: list[tuple[int, str, float, float]] = []
    opened: list[int] = []

    class Tally:
        def add_rise(self, day: int, lane: str, low: float, high: float) -> None:
            rises.append((day, lane, low, high))

        def add_opening(self, day: int) -> None:
            opened.append(day)

    def look(day: int, risk: float, **more: Any) -> None:
        given: dict[str, Any] = {"segment": "loyal", "order_days": 5} | more
        assessment = Assessment("c-1", day * DAY_MS, risk, last_seen_ms=DAY_MS // 2, **given)
        decide(case.episode, assessment, 0.6, case.policy, Tally())

    look(3, 0.4)
    look(4, 0.4)
    look(5, 0.35)
    look(6, 0.7, segment="standard")
    look(7, 0.9)
    assert rises == [(3, "loyal", 0.0, 0.4), (6, "standard", 0.4, 0.7), (7, "loyal", 0.7, 0.9)]
    assert opened == [6]


def test_the_state_is_small_and_survives_a_round_trip(case: Case) -> None:
    case.look(7, 0.65)
    packed = msgspec.msgpack.encode(case.episode)
    assert len(packed) < 120
    assert msgspec.msgpack.decode(packed, type=Episode) == case.episode


def test_a_look_that_changes_nothing_is_cheap(case: Case) -> None:
    look = Assessment("c-1", 3 * DAY_MS, 0.05, "loyal", 5, DAY_MS // 2)
    seconds = min(timeit.repeat(lambda: decide(case.episode, look, 0.6, case.policy), number=2_000, repeat=5)) / 2_000
    assert seconds < 4e-6
