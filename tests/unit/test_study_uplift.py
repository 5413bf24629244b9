"""The parts of `make study NAME=uplift`, on shops small enough for a unit test."""

import json

import pytest

from studies.uplift import ACCEPTS, KINDS, MONTHS, SAVES, Truth, main, shop, summary, truth


def test_a_shop_is_what_its_segments_say() -> None:
    assert sum(kind.share for kind in KINDS) == pytest.approx(1.0)
    assert all(kind.stays + SAVES < 1.0 for kind in KINDS)
    assert truth(SAVES).retention == pytest.approx(SAVES * ACCEPTS)
    assert truth(0.0) == Truth(0.0, 0.0, 0.0)


def test_a_shop_is_looked_at_each_month_and_the_same_again_by_its_seed() -> None:
    looks = shop(3, 600, SAVES)
    assert len(looks) == MONTHS
    assert [look.treated + look.held for look in looks] == sorted(look.treated + look.held for look in looks)
    assert looks[-1].treated + looks[-1].held == 600
    assert 0.04 < looks[-1].held / 600 < 0.16
    assert looks[-1].accepted == pytest.approx(ACCEPTS, abs=0.06)
    assert looks[-1].held_reached == 0.0
    assert shop(3, 600, SAVES)[-1] == looks[-1]


def test_an_action_that_saves_nobody_leaves_the_shop_as_it_was() -> None:
    kept = [
        sum(look.treated_kept * look.treated + look.held_kept * look.held for look in [shop(seed, 2_000, 0.0)[-1]])
        for seed in (1, 2)
    ]
    alone = 2_000 * sum(kind.share * kind.stays for kind in KINDS)
    assert kept == pytest.approx([alone, alone], rel=0.08)


def test_the_figures_say_whether_they_hold() -> None:
    looks = [shop(seed, 400, SAVES) for seed in (1, 2)]
    idle = [shop(seed, 400, 0.0) for seed in (1, 2)]
    found = summary(looks, idle)
    assert found["coverage"]["retention"] in {0.0, 0.5, 1.0}
    assert found["holds"] is (found["coverage"]["retention"] == 1.0 and found["verdicts_without_effect"]["helped"] == 0)


def test_the_last_line_is_the_answer_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--runs", "2", "--customers", "200"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["runs"], found["customers"]) == (2, 200)
    assert code == (0 if found["holds"] else 1)
