"""The bandit: what it knows, when it speaks up, how much it tries, and what it never does."""

from collections import Counter
from hashlib import blake2b

import msgspec
import pytest

from alerts.alert import Reason
from alerts.bandit import ANY, POOL, RATES, Favourite, Learnt, Rates, estimates, rates_in
from alerts.episode import Transition
from alerts.play import Play
from alerts.playbook import Case, suggest
from streams.time import DAY_MS

CODES = ["call", "offer", "survey"]
HERE = "loyal|price"
PLAYS = tuple(
    Play(code, code, "{evidence}", 1.0 - 0.1 * rank, cool_down_ms=DAY_MS, budget_per_day=5.0)
    for rank, code in enumerate(CODES)
)
STEP = Transition("opened", "rise", "c-1", "e", "a", 0, 0.7, 0.6, "high", "loyal", "model", holdout=False)
CASE = Case(100.0)
WHY = [Reason("price", 1.0, "so it is", {})]
OFFER_HELPS = estimates({(HERE, "call"): (300, 120), (HERE, "offer"): (300, 210), (HERE, "survey"): (300, 90)})


def firsts(learnt: Learnt, alerts: int = 2_000, context: str = HERE) -> Counter[str]:
    found = (learnt.favourite(CODES, context, f"alert {n}") for n in range(alerts))
    return Counter(CODES[0] if one is None else one.code for one in found)


def first(learnt: Learnt | None, case: Case = CASE, cuts: dict[str, float] | None = None, **step: object) -> str:
    actions = suggest(msgspec.structs.replace(STEP, **step), WHY, case, PLAYS, cuts or {}, learnt).actions
    return actions[0].code if actions else ""


# -- what is known -----------------------------------------------------------------------------------------------------


def test_a_share_seen_often_is_believed_and_one_seen_seldom_is_pooled() -> None:
    rates = estimates({(HERE, "offer"): (1_000, 700), (HERE, "call"): (2, 0), ("new|price", "call"): (1_000, 500)})
    assert rates[HERE]["offer"][0] == pytest.approx(0.7, abs=0.01)
    assert 0.4 < rates[HERE]["call"][0] < 0.7, "two who left are not the end of an action that keeps half of the others"
    assert rates[HERE]["call"][1] > rates[HERE]["offer"][1]


def test_an_action_never_tried_in_a_context_is_expected_what_both_bring() -> None:
    """Newcomers stay less, calls help: a call to a newcomer is expected to lie between."""
    sums = {(HERE, "call"): (500, 400), (HERE, "offer"): (500, 300), ("new|price", "offer"): (500, 100)}
    rates = estimates(sums)
    assert rates["new|price"]["offer"][0] < rates["new|price"]["call"][0] < rates[HERE]["call"][0]


def test_a_context_never_seen_goes_by_what_holds_everywhere() -> None:
    assert firsts(Learnt(OFFER_HELPS, 0.0), 10, "high_value|service") == {"offer": 10}


def test_the_prior_weighs_as_much_as_it_says() -> None:
    (mean, deviation) = estimates({(HERE, "call"): (1, 1)})[ANY][ANY]
    assert deviation == pytest.approx((mean * (1 - mean) / (POOL + 1)) ** 0.5, abs=1e-4)


@pytest.mark.parametrize(
    "extra", [{}, {RATES: 3}, {RATES: {HERE: {"call": [0.5]}}}, {RATES: {HERE: {"call": [0.5, 0.1]}}}]
)
def test_a_guide_that_says_something_else_knows_nothing(extra: dict[str, object]) -> None:
    assert rates_in(extra) == {}


def test_what_is_known_survives_the_guide() -> None:
    assert rates_in(msgspec.msgpack.decode(msgspec.msgpack.encode({RATES: OFFER_HELPS}))) == OFFER_HELPS


# -- the choice --------------------------------------------------------------------------------------------------------


def test_the_better_action_goes_first_once_that_is_sure() -> None:
    assert firsts(Learnt(OFFER_HELPS, 0.0)) == {"offer": 2_000}
    unsure = estimates({(HERE, "call"): (10, 4), (HERE, "offer"): (10, 6)})
    assert firsts(Learnt(unsure, 0.0)) == {"call": 2_000}


@pytest.mark.parametrize("rates", [{}, OFFER_HELPS])
def test_what_is_tried_is_bounded_and_spread(rates: Rates) -> None:
    best = "offer" if rates else "call"
    found = firsts(Learnt(rates, 0.1), 5_000)
    tried = {code: number for code, number in found.items() if code != best}
    assert 400 < sum(tried.values()) < 600
    assert max(tried.values()) < 1.5 * min(tried.values())


def test_nothing_is_tried_where_nothing_may_be() -> None:
    assert firsts(Learnt({}, 0.0)) == {"call": 2_000}
    assert Learnt(OFFER_HELPS, 1.0).favourite(["survey"], HERE, "a") is None


def test_the_same_alert_gets_the_same_choice() -> None:
    learnt = Learnt(OFFER_HELPS, 0.5)
    for n in range(20):
        assert learnt.favourite(CODES, HERE, f"{n}") == learnt.favourite(CODES, HERE, f"{n}")
    assert learnt.favourite(CODES, HERE, "2") in {
        Favourite("call", None),
        Favourite("survey", None),
        Favourite("offer", OFFER_HELPS[HERE]["offer"][0]),
    }


# -- within what the playbook allows -----------------------------------------------------------------------------------


def test_off_the_playbooks_ranks_stand() -> None:
    assert first(None) == "call"
    assert first(Learnt(OFFER_HELPS, 0.0)) == "offer"


def test_it_is_for_alerts_that_open_an_episode() -> None:
    assert first(Learnt(OFFER_HELPS, 1.0), kind="escalated") == "call"


def test_those_held_out_get_nothing_whatever_was_learnt() -> None:
    assert first(Learnt(OFFER_HELPS, 1.0), holdout=True) == ""


def test_what_rests_or_is_kept_for_others_is_never_chosen_nor_tried() -> None:
    for n in range(50):
        assert first(Learnt(OFFER_HELPS, 0.5), Case(100.0, suggested={"offer": 0}), alert_id=f"{n}") != "offer"
        assert first(Learnt(OFFER_HELPS, 0.5), cuts={"offer": 200.0}, alert_id=f"{n}") != "offer"


def test_no_other_actions_are_suggested_than_without_it() -> None:
    plain = suggest(STEP, WHY, Case(100.0), PLAYS, {})
    moved = suggest(STEP, WHY, Case(100.0), PLAYS, {}, Learnt(OFFER_HELPS, 0.0))
    assert {action.code for action in moved.actions} == {action.code for action in plain.actions}
    assert sorted(moved.wanted) == sorted(plain.wanted)


def test_the_why_says_so() -> None:
    (why, *_) = (action.why for action in suggest(STEP, WHY, Case(100.0), PLAYS, {}, Learnt(OFFER_HELPS, 0.0)).actions)
    assert "keeps 70 % of such customers" in why
    (why, *_) = (action.why for action in suggest(STEP, WHY, Case(100.0), PLAYS, {}, Learnt({}, 1.0)).actions)
    assert "tried to learn what helps" in why


# -- learning ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_the_action_that_keeps_more_and_pays_little_for_it(seed: int) -> None:
    """The playbook's favourite keeps 40 of a hundred, its second 55, its third 30."""
    keeps = {"call": 0.40, "offer": 0.55, "survey": 0.30}
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    chosen: list[str] = []
    for week in range(60):
        learnt = Learnt(estimates(sums), 0.1)
        for n in range(100):
            alert = f"{seed} {week} {n}"
            favourite = learnt.favourite(CODES, HERE, alert)
            code = CODES[0] if favourite is None else favourite.code
            draw = int.from_bytes(blake2b(alert.encode(), digest_size=8, person=b"truth").digest()) / 2**64
            customers, stayed = sums.get((HERE, code), (0, 0))
            sums[HERE, code] = customers + 1, stayed + (draw < keeps[code])
            chosen.append(code)
    assert chosen[-1_000:].count("offer") > 850
    mean = sum(keeps[code] for code in chosen) / len(chosen)
    assert mean > keeps["call"], "learning has paid for what was tried"
