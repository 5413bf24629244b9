"""`churnwatch uplift`: its words, its table, its JSON, and the command over a ledger."""

import json

import pytest

from alerts.ledger import Ledger
from churnwatch import cli, ledger_read
from churnwatch.settings import Settings
from churnwatch.uplift_told import rate, report, say_report, sentences, told

JANUARY, FEBRUARY = 20_089, 20_120


def booked(
    treated: tuple[int, int], held: tuple[int, int], *, day: int = JANUARY, into: Ledger | None = None
) -> Ledger:
    """A ledger in which so many were treated and so many of them stayed; likewise of those held out."""
    ledger = into or Ledger()
    for arm, (n, kept) in (("treated", treated), ("held", held)):
        for segment, part in (("loyal", 0.6), ("new", 0.4)):
            name = f"trial|{arm}|{segment}|care_call|left|"
            figures = {"n": n, "kept": kept, "spend": kept * 2_000, "squares": kept * 500, "expected": n * 2_100}
            ledger.add(day, {f"{name}{figure}": round(amount * part) for figure, amount in figures.items() if amount})
    return ledger


def words(ledger: Ledger, since: str | None = None) -> str:
    return " ".join(sentences(report(ledger, 60, since=since)))


def test_before_the_first_trial_has_ended_it_says_when_one_does() -> None:
    assert words(Ledger()) == "No trial has ended: one ends 60 days after a customer's first alert."
    assert "since 2025-02" in words(booked((90, 40), (10, 3)), "2025-02")


def test_where_nobody_is_held_out_it_names_the_setting() -> None:
    assert "CHURNWATCH_ALERT_HOLDOUT_SHARE" in words(booked((90, 40), (0, 0)))


def test_with_few_held_out_it_says_how_many_it_takes() -> None:
    assert words(booked((90, 60), (10, 1))).startswith(
        "Not yet enough to tell: 10 held out so far, at least 20 are needed."
    )


def test_not_yet_enough_tells_what_is_missing_and_for_how_long() -> None:
    ledger = booked((450, 240), (50, 22))
    booked((450, 240), (50, 22), day=FEBRUARY, into=ledger)
    said = words(ledger)
    assert said.startswith("Not yet enough to tell: if the difference is as it looks, about ")
    assert "months at the present rate of 500 a month." in said
    assert "Of 900 treated 53.3% stayed over 60 days, of 100 held out 44.0%: +9.3 points (95 % interval " in said
    assert "it would take years" in words(booked((450, 226), (50, 25)))


@pytest.mark.parametrize(
    ("treated", "held", "said"),
    [
        ((9_000, 5_400), (1_000, 500), "It helped. Of 9,000 treated 60.0% stayed"),
        ((9_000, 4_500), (1_000, 620), "It did harm: look at what is done to the treated."),
        ((900_000, 450_000), (100_000, 50_000), "It made no difference that matters: less than 2 points either way."),
    ],
)
def test_a_verdict_comes_first(treated: tuple[int, int], held: tuple[int, int], said: str) -> None:
    assert words(booked(treated, held)).startswith(said)


def test_what_was_done_is_told_with_what_it_did_to_those_reached() -> None:
    ledger = booked((5_000, 2_500), (1_000, 500))
    assert "The team has reported nothing on churn.outcomes" in words(ledger)
    for did, n, kept in (("accepted", 3_000, 2_100), ("declined", 1_000, 800)):
        at = f"trial|treated|loyal|care_call|{did}|"
        ledger.add(JANUARY, {f"{at}n": n, f"{at}kept": kept, f"{at}cost": n * 500, f"{at}expected": n * 2_100})
    ledger.add(JANUARY, {"trial|held|loyal|care_call|contacted|n": 30, "trial|held|loyal|care_call|contacted|kept": 15})
    said = words(ledger)
    assert "Something was done with 44% of the treated; among those it is +" in said
    assert "33% accepted; if a contact that is not accepted does nothing, it is +" in said
    assert "With 3% of those held out something was done all the same" in said
    assert "Reported costs: 20,000.00." in said


def test_the_rate_is_that_of_the_latest_whole_months() -> None:
    assert rate([]) == 0.0
    assert rate([7]) == 7.0
    assert rate([10, 40, 60, 80, 3]) == 60.0


def test_people_get_a_table_and_what_the_interval_means(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = booked((9_000, 5_400), (1_000, 500))
    ledger.add(
        JANUARY, {"trial_done|care_call|n": 40, "trial_done|care_call|kept": 30, "trial_done|care_call|cost": 8_000}
    )
    say_report(report(ledger, 60, "segment"))
    shown = capsys.readouterr().out
    assert "segment" in shown
    for row in ("loyal", "new", "all"):
        assert f"\n{row} " in shown
    assert "care_call  40         75%     80.00" in shown
    assert "however often one looks" in shown


def test_programs_get_the_same_as_numbers() -> None:
    found = told(report(booked((9_000, 5_400), (1_000, 500)), 60, "action"))
    assert json.loads(json.dumps(found)) == found
    assert found["all"]["verdict"]["kind"] == "helped"
    assert found["all"]["retention"]["estimate"] == pytest.approx(0.1)
    assert set(found["rows"]) == {"care_call"}
    assert found["trials_a_month"] == 10_000.0


def test_the_command_reads_the_ledger(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def read(_: Settings) -> Ledger:
        return booked((9_000, 5_400), (1_000, 500))

    monkeypatch.setattr(ledger_read, "read_ledger", read)
    assert cli.run(["uplift", "--by", "segment", "--since", "2025-01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"]["loyal"]["treated"] == 5_400
    assert cli.run(["uplift"]) == 0
    assert capsys.readouterr().out.startswith("It helped.")
    assert cli.run(["uplift", "--since", "spring"]) == 2
    assert "2026-03" in capsys.readouterr().err
