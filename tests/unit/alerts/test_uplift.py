"""What trials say: rows and strata from the ledger, effects on all and on those reached, and the verdict."""

import pytest

from alerts.intervals import Stratum
from alerts.ledger import Ledger
from alerts.uplift import BLOCK_MIN, assess, assess_rows, done_in, months_in, strata_of, trials_in
from alerts.uplift_verdict import ARM_MIN, judge

JANUARY, FEBRUARY = 20_089, 20_120


def ledger(*entries: tuple[int, str, int]) -> Ledger:
    made = Ledger()
    for day, key, amount in entries:
        made.add(day, {key: amount})
    return made


def arms(
    treated: int, kept: int, held: int, held_kept: int, *, day: int = JANUARY, segment: str = "loyal"
) -> list[tuple[int, str, int]]:
    there, here = f"trial|treated|{segment}|care_call|left|", f"trial|held|{segment}|care_call|left|"
    counts = {f"{there}n": treated, f"{there}kept": kept, f"{here}n": held, f"{here}kept": held_kept}
    return [(day, key, amount) for key, amount in counts.items()]


def test_rows_are_told_apart_and_add_up() -> None:
    booked = ledger(
        *arms(10, 5, 6, 2), *arms(20, 8, 7, 3, segment="new"), (JANUARY, "trial|treated|new|none|left|n", 4)
    )
    booked.add(JANUARY, {"trial_reason|treated|new|price|n": 3, "opened|loyal": 9, "trial|odd": 1})
    assert {row: assess(cells).treated for row, cells in trials_in(booked).items()} == {"all": 34}
    assert {row: assess(cells).treated for row, cells in trials_in(booked, "segment").items()} == {
        "loyal": 10,
        "new": 24,
    }
    assert {row: assess(cells).treated for row, cells in trials_in(booked, "action").items()} == {
        "care_call": 30,
        "none": 4,
    }
    assert {row: assess(cells).treated for row, cells in trials_in(booked, "reason").items()} == {"price": 3}


def test_months_can_be_chosen() -> None:
    booked = ledger(*arms(10, 5, 6, 2), *arms(20, 8, 7, 3, day=FEBRUARY))
    assert months_in(booked) == {"2025-01": 16, "2025-02": 27}
    assert assess(trials_in(booked, None, {"2025-02": 1})["all"]).treated == 20


def test_money_is_told_in_units() -> None:
    booked = ledger(*arms(10, 5, 10, 5))
    for arm, spend, squares in (("treated", 10_000, 2_000), ("held", 5_000, 600)):
        at = f"trial|{arm}|loyal|care_call|left|"
        booked.add(JANUARY, {f"{at}spend": spend, f"{at}squares": squares, f"{at}expected": 20_000, f"{at}cost": 250})
    found = assess(trials_in(booked)["all"])
    assert found.spend is not None
    assert found.spend.estimate == pytest.approx(5.0)
    assert found.spend_saved is not None
    assert found.spend_saved.estimate == pytest.approx(50.0)
    assert found.cost == 2.5


def test_months_of_a_segment_are_put_together_until_both_arms_have_enough() -> None:
    booked = ledger(
        *arms(9, 1, 3, 1, day=JANUARY),
        *arms(9, 1, 3, 1, day=JANUARY + 31),
        *arms(9, 1, 5, 1, day=JANUARY + 62),
        *arms(9, 1, 1, 1, day=JANUARY + 93),
        *arms(3, 1, 1, 1, segment="new"),
    )
    strata = strata_of(trials_in(booked)["all"])
    assert [(s.treated.n, s.held.n) for s in strata] == [(18, 6), (18, 6), (3, 1)]
    assert BLOCK_MIN == 5


def test_the_effect_on_those_reached_is_the_whole_effect_divided_by_their_share() -> None:
    booked = ledger(*arms(400, 200, 500, 200))
    at = "trial|treated|loyal|care_call|"
    booked.add(
        JANUARY, {f"{at}accepted|n": 60, f"{at}accepted|kept": 40, f"{at}declined|n": 40, f"{at}declined|kept": 10}
    )
    booked.add(JANUARY, {"trial|held|loyal|care_call|contacted|n": 50, "trial|held|loyal|care_call|contacted|kept": 20})
    found = assess(trials_in(booked)["all"])
    assert found.retention is not None
    assert found.on_reached is not None
    assert found.on_accepted is not None
    assert (found.reached, found.accepted) == (0.2, 0.12)
    assert found.held_reached == pytest.approx(50 / 550)
    assert found.retention.estimate == pytest.approx(0.5 - 0.4)
    assert found.on_reached.estimate == pytest.approx(0.1 / (0.2 - 50 / 550))
    assert found.on_accepted.estimate == pytest.approx(0.1 / 0.12)
    assert found.on_accepted.high == 1.0


def test_with_hardly_anybody_reached_nothing_is_said_of_them() -> None:
    assert assess(trials_in(ledger(*arms(400, 200, 500, 200)))["all"]).on_reached is None


def test_nobody_held_out_leaves_nothing_to_compare() -> None:
    found = assess(trials_in(ledger((JANUARY, "trial|treated|new|none|left|n", 40)))["all"])
    assert found.retention is found.spend is found.value_saved is None
    assert found.verdict.kind == "unknown"
    assert found.verdict.more is None


def test_what_was_done_is_told_by_the_action_named() -> None:
    booked = ledger((JANUARY, "trial_done|care_call|n", 4), (JANUARY, "trial_done|care_call|cost", 900))
    assert {name: (row.n, row.cost) for name, row in done_in(booked).items()} == {"care_call": (4, 900)}


@pytest.mark.parametrize(
    ("counts", "kind"),
    [
        ((9_000, 5_400, 1_000, 500), "helped"),
        ((9_000, 4_500, 1_000, 600), "harmed"),
        ((900_000, 450_000, 100_000, 50_000), "no_difference"),
        ((900, 470, 100, 49), "unknown"),
        ((900, 900, 100, 0), "helped"),
        ((180, 180, ARM_MIN - 1, 0), "unknown"),
        ((900, 900, 100, 100), "unknown"),
    ],
)
def test_the_verdict(counts: tuple[int, int, int, int], kind: str) -> None:
    assert assess(trials_in(ledger(*arms(*counts)))["all"]).verdict.kind == kind


def test_how_many_more_are_needed_is_about_right() -> None:
    def strata(times: float) -> list[Stratum]:
        counts = [round(count * times) for count in (900, 495, 100, 50)]
        return strata_of(trials_in(ledger(*arms(*counts)))["all"])

    more = judge(strata(1), 900, 100).more
    assert more is not None
    enough = 1 + more / 1_000
    assert judge(strata(enough * 0.95), 9_000, 1_000).kind == "unknown"
    assert judge(strata(enough * 1.05), 9_000, 1_000).kind == "helped"


def test_a_table_shares_the_risk_of_a_wrong_verdict_among_its_rows() -> None:
    entries = [entry for row in range(20) for entry in arms(900, 500, 100, 33, segment=f"s{row:02}")]
    alone = assess(trials_in(ledger(*entries[:4]), "segment")["s00"])
    assert alone.verdict.kind == "helped"
    assert {row.verdict.kind for row in assess_rows(trials_in(ledger(*entries), "segment")).values()} == {"unknown"}
