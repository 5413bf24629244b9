from hypothesis import given, settings
from hypothesis import strategies as st

from agents.silence import EXPIRY_RETRY_MS, LADDER_DAYS, next_expiry_ms, next_rung_ms, next_wake_ms
from models.question import MONDAY_MS, Question
from streams.time import DAY_MS

QUESTION = Question()
LAST_MS = MONDAY_MS + 12 * 3_600_000  # a Monday noon: rungs and snapshots never meet
FAR_MS = LAST_MS + 400 * DAY_MS


def wake(
    after_ms: int,
    silent_since_ms: int | None = LAST_MS,
    pending_ms: int | None = None,
    episode_ms: int | None = None,
    expires_ms: int = FAR_MS,
) -> int:
    return next_wake_ms(
        after_ms=after_ms,
        silent_since_ms=silent_since_ms,
        first_pending_matures_ms=pending_ms,
        episode_until_ms=episode_ms,
        expires_ms=expires_ms,
        question=QUESTION,
    )


def test_the_ladder_has_seven_rungs() -> None:
    at_ms, rungs = LAST_MS, []
    while (rung_ms := next_rung_ms(LAST_MS, at_ms)) is not None:
        rungs.append((rung_ms - LAST_MS) // DAY_MS)
        at_ms = rung_ms
    assert tuple(rungs) == LADDER_DAYS


#  Mon 12h   Tue  Wed  Thu      Sat     Mon 0h  Mon 12h        Thu      Mon 0h   Mon 12h    Mon 0h
#  last      +1   +2   +3       +5      snap    +7             +10      snap     +14        snap ...
def test_ladder_and_snapshots_take_turns() -> None:
    at_ms, days = LAST_MS, []
    for _ in range(10):
        at_ms = wake(at_ms)
        days.append((at_ms - LAST_MS) / DAY_MS)
    assert days == [1, 2, 3, 5, 6.5, 7, 10, 13.5, 14, 20.5]


def test_after_the_day_of_being_gone_only_the_expiry_is_left() -> None:
    gone_ms = MONDAY_MS + 90 * DAY_MS
    assert wake(gone_ms - 1) == gone_ms
    assert wake(gone_ms) == FAR_MS


def test_who_has_cancelled_is_not_looked_at() -> None:
    assert wake(LAST_MS, silent_since_ms=None) == FAR_MS


def test_labels_and_the_ends_of_cool_downs_wake_too() -> None:
    assert wake(LAST_MS, pending_ms=LAST_MS + 7) == LAST_MS + 7
    assert wake(LAST_MS, episode_ms=LAST_MS + 9) == LAST_MS + 9
    assert wake(LAST_MS, pending_ms=FAR_MS + 1, episode_ms=FAR_MS + 1, silent_since_ms=None) == FAR_MS
    assert wake(LAST_MS, episode_ms=LAST_MS) == LAST_MS + DAY_MS


def test_what_should_have_been_done_before_is_due_in_the_next_millisecond() -> None:
    assert wake(LAST_MS, pending_ms=LAST_MS - 5 * DAY_MS) == LAST_MS + 1
    assert wake(LAST_MS, expires_ms=0) == LAST_MS + 1


def test_an_expiry_that_had_to_wait_is_tried_again_every_month() -> None:
    first_ms = next_expiry_ms(LAST_MS, LAST_MS, 400 * DAY_MS)
    assert first_ms == FAR_MS
    assert next_expiry_ms(LAST_MS, first_ms, 400 * DAY_MS) == first_ms + EXPIRY_RETRY_MS
    assert next_expiry_ms(LAST_MS, first_ms + EXPIRY_RETRY_MS - 1, 400 * DAY_MS) == first_ms + EXPIRY_RETRY_MS


UNHURRIED = settings(deadline=None)
instants = st.integers(0, 2_000 * DAY_MS)
maybe = st.none() | instants


@UNHURRIED
@given(instants, maybe, maybe, maybe, instants)
def test_a_wake_up_is_never_in_the_past(
    after_ms: int, since_ms: int | None, pending_ms: int | None, episode_ms: int | None, expires_ms: int
) -> None:
    assert wake(after_ms, since_ms, pending_ms, episode_ms, expires_ms) > after_ms


@UNHURRIED
@given(instants, instants, st.integers(1, 400), st.integers(1, 30), st.integers(1, 120))
def test_silence_costs_a_bounded_number_of_wake_ups(
    last_ms: int, after_ms: int, expiry_days: int, snapshot_days: int, active_days: int
) -> None:
    question = Question(snapshot_days=snapshot_days, active_days=active_days)
    at_ms = max(last_ms, after_ms)
    end_ms = at_ms + 500 * DAY_MS
    number = 0
    while at_ms < end_ms:
        at_ms = next_wake_ms(
            after_ms=at_ms,
            silent_since_ms=last_ms,
            first_pending_matures_ms=None,
            episode_until_ms=None,
            expires_ms=next_expiry_ms(last_ms, at_ms, expiry_days * DAY_MS),
            question=question,
        )
        number += 1
    assert number <= len(LADDER_DAYS) + active_days // snapshot_days + 2 + 500 * DAY_MS // EXPIRY_RETRY_MS + 2
