"""Challengers in shadow: judged on what they would have said at the time, promoted, remembered, the same after a restart."""

import random
from typing import Any

from models.candidates import PLACES, RECIPES, WEEKS_MIN, Contest
from models.examiner import Examiner
from models.guide import Guide
from models.input_counts import InputCounts
from models.labels import Example, ExampleBatch, pack_vector
from models.learner import Learner
from models.question import MONDAY_MS, Question
from models.rule import RuleInputs
from models.scorer import Scorer
from streams.time import DAY_MS
from tests.unit.models.samples import NAMES, SCALES, vector

QUESTION = Question(horizon_days=14)
WEEK_MS = 7 * DAY_MS


def learner(contest: Contest | None = None) -> Learner:
    return Learner(
        NAMES,
        SCALES,
        grid_ms=DAY_MS,
        min_labels=10,
        examiner=Examiner(
            NAMES,
            SCALES,
            question=QUESTION,
            rule=RuleInputs(0, 2, 1),
            grid_ms=DAY_MS,
            contest=contest or Contest(labels_min=200, margin=0.001),
        ),
    )


def lived(one: Learner, weeks: range, *, said: Guide | None = None, seed: int = 0, twist: bool = False) -> list[Guide]:
    """Weeks of snapshots, scored by the newest guide; each is answered two weeks later. `twist` hurts what is linear."""
    guides: list[Guide] = [] if said is None else [said]
    for week in weeks:
        rng = random.Random(1_000 * seed + week)
        taken_ms = MONDAY_MS + week * WEEK_MS
        examples = []
        for customer in range(60):
            features = vector(rng)
            label = int(
                rng.random() < (0.97 if features[0] > 20 else 0.03) if twist else features[0] + rng.gauss(0, 20) > 40
            )
            speaks = guides[-1] if guides else None
            ready = speaks is not None and speaks.ready
            risk = Scorer(speaks).risk(features) if speaks is not None and ready else 0.5
            version = speaks.version if speaks is not None and ready else 0
            packed = pack_vector(features)
            examples.append(
                Example(f"{customer}", taken_ms, taken_ms + 2 * WEEK_MS, label, risk, version, "loyal", packed)
            )
        mark_ms = taken_ms + 2 * WEEK_MS
        one.absorb(ExampleBatch(source=0, partitions=1, seq=week + 1, mark_ms=mark_ms, examples=examples))
        guides += one.advance()
    return guides


def test_challengers_are_judged_on_the_examples_that_the_champion_spoke_on() -> None:
    one = learner()
    guides = lived(one, range(12))
    standing = guides[-1].standing
    assert {trial.recipe for trial in standing.trials} == {*RECIPES} - {"stacked"}
    (weeks,) = {trial.weeks for trial in standing.trials}
    (labels,) = {trial.labels for trial in standing.trials}
    assert labels == 60 * weeks == guides[-1].quality["examples"], "the rule's examples judge nobody"


def test_the_champions_loss_in_shadow_is_that_of_what_was_really_said() -> None:
    one = learner()
    guides = lived(one, range(12))
    weeks = one._state.exam.trials.weeks
    shadow = (
        sum(week.losses[PLACES["stacked"]] for week in weeks.values())
        / 1e6
        / sum(week.examples for week in weeks.values())
    )
    assert abs(shadow - guides[-1].quality["log_loss"]) < 1e-4


def test_a_promotion_reaches_guides_scorers_and_history() -> None:
    one = learner(Contest(labels_min=200, margin=0.0005))
    guides = lived(one, range(60), twist=True)
    assert one.standing().promotions, [f"{trial}" for trial in guides[-1].standing.trials]
    change = one.standing().promotions[0]
    before = [guide for guide in guides if guide.learnt_until_ms < change.at_ms]
    after = next(guide for guide in guides if guide.learnt_until_ms >= change.at_ms)
    assert {guide.recipe for guide in before} == {"stacked"}
    assert (after.recipe, after.learnt_until_ms) == (change.after, change.at_ms)
    assert after.standing.promotions == [change]
    assert change.weeks >= WEEKS_MIN
    features = (30.0, 1.0, 1.0)
    same = Scorer(after).risk(features)
    assert after.weights != (0.5, 0.5)
    assert same != Scorer(_with(after, weights=(0.5, 0.5))).risk(features)


def _with(guide: Guide, **fields: Any) -> Guide:
    return Guide(**{name: getattr(guide, name) for name in guide.__struct_fields__} | fields)


def test_a_restart_in_between_changes_nothing() -> None:
    straight = learner(Contest(labels_min=200, margin=0.0005))
    expected = lived(straight, range(40), twist=True)
    first = learner(Contest(labels_min=200, margin=0.0005))
    before = lived(first, range(20), twist=True)
    second = learner(Contest(labels_min=200, margin=0.0005))
    second.restore(first.to_bytes())
    assert second.to_bytes() == first.to_bytes()
    after = lived(second, range(20, 40), said=before[-1], twist=True)
    assert [*before, *after[1:]] == expected
    assert second.to_bytes() == straight.to_bytes()


def test_the_setting_wins_over_what_is_stored_unless_the_test_decides() -> None:
    first = learner()
    guides = lived(first, range(6))
    manual = learner(Contest("manual", "within"))
    manual.restore(first.to_bytes())
    assert lived(manual, range(6, 7), said=guides[-1])[-1].recipe == "within"
    assert [(change.after, change.by) for change in manual.standing().promotions] == [("within", "setting")]
    again = learner(Contest("auto", "mean"))
    again.restore(manual.to_bytes())
    assert lived(again, range(7, 8), said=guides[-1])[-1].recipe == "within"


def test_where_promotion_is_off_nobody_is_judged() -> None:
    one = learner(Contest("off", "logistic"))
    guides = lived(one, range(12))
    assert guides[-1].standing.trials == []
    assert {guide.recipe for guide in guides} == {"logistic"}


def test_how_inputs_are_distributed_travels_with_the_guide() -> None:
    one = learner()
    lived(one, range(2))
    guides = []
    for week in range(30):
        counts, day = InputCounts(), (week + 3) * 7
        for number in range(400):
            counts.add(
                day, pack_vector([30.0, 2.0 if number % 4 or week < 26 else 0.0, float(number % 3 if week > 25 else 0)])
            )
        mark_ms = MONDAY_MS + (week + 4) * WEEK_MS
        packed = pack_vector((10.0, 1.0, 1.0))
        known = Example("x", mark_ms - 3 * WEEK_MS, mark_ms, 1, 0.5, 0, "loyal", packed)
        one.absorb(ExampleBatch(0, 1, week + 3, mark_ms, False, [known], {}, counts.take()))
        guides += one.advance()
    warnings = guides[-1].standing.drift.warnings()
    assert "basket_trend" in warnings["inputs"]
    assert "silence_days" not in warnings["inputs"]


def test_counts_of_inputs_that_make_no_sense_are_left_out() -> None:
    one = learner()
    one.absorb(ExampleBatch(0, 1, 1, 0, False, [], {}, {5: [1, 2, 3]}))
    assert one.counters.damaged == 1


def test_a_cancellation_is_known_early_and_does_not_tilt_the_rolling_figures() -> None:
    one = learner()
    guides = lived(one, range(8))
    taken_ms = MONDAY_MS + 8 * WEEK_MS
    packed = pack_vector((10.0, 1.0, 1.0))
    known_ms = taken_ms + 8 * DAY_MS
    gone = Example("x", taken_ms, known_ms, 1, 0.5, guides[-1].version, "loyal", packed)
    one.absorb(ExampleBatch(source=0, partitions=1, seq=9, mark_ms=known_ms, examples=[gone]))
    before, after = guides[-1], one.advance()[-1]
    assert after.quality["examples"] == before.quality["examples"] + 1
    assert after.quality["recent_examples"] == before.quality["recent_examples"]
