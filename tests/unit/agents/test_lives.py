"""What a lost state is recognised by, and what is not said again while it is built anew."""

import msgspec
import pytest

from agents.effects import AlertNote, Effects
from agents.lives import Committed, check_topics, committable, heard_of, note_of, revive, withhold
from agents.meta import Meta, Said, decode_meta, encode_meta
from streams.codec import RawRecord, Rejected
from streams.deadletter import dead_letter
from streams.errors import TransportError
from streams.outgoing import Outgoing
from streams.time import iso

ORDERS, LOGINS = "customer.orders", "customer.logins"
NOW_MS = 1_000_000
NOTHING = (0, 0)
NOTE = AlertNote("opened", "high", "loyal", ("service",), None)


def alert(raised_ms: int, offset: int | None = None) -> Outgoing:
    place = {"kind": "event", "topic": ORDERS, "partition": 0, "offset": offset}
    trigger = {"kind": "silence"} if offset is None else place
    return Outgoing("churn.alerts", b"c", msgspec.json.encode({"raised_at": iso(raised_ms), "trigger": trigger}))


def score(scored_ms: int) -> Outgoing:
    return Outgoing("churn.scores", b"c", msgspec.json.encode({"scored_at": iso(scored_ms)}))


def letter(offset: int, value: bytes | None = b"\xff") -> Outgoing:
    return dead_letter(Rejected(RawRecord(ORDERS, 0, offset, 0, b"c", value), "malformed", "E", "m", "value"), NOW_MS)


def test_a_first_state_begins_its_life_now() -> None:
    meta, lost = revive(None, None, NOTHING, NOW_MS)
    assert (meta.life, meta.said, lost) == (NOW_MS, None, "")


def test_a_state_that_is_there_goes_on_in_its_life() -> None:
    stored = Meta(life=7, commits=12, seq=4)
    known = Said({ORDERS: 9}, 50, life=7, commits=11)
    assert revive(stored, known, (7, 12), NOW_MS) == (Meta(life=7, commits=12, seq=4), "")


def test_a_state_of_a_version_that_counted_no_lives_is_not_lost() -> None:
    meta, lost = revive(Meta(commits=12, seq=4), Said({ORDERS: 9}), NOTHING, NOW_MS)
    assert (meta.life, meta.seq, lost) == (NOW_MS, 4, "")


def test_a_bootstrapped_state_is_younger_than_what_the_group_knows_of_others() -> None:
    known = Said({ORDERS: 9}, 50, life=7, commits=1_000)
    meta, lost = revive(Meta(life=8, commits=3), known, NOTHING, NOW_MS)
    assert (meta.life, meta.said, lost) == (8, None, "")


@pytest.mark.parametrize("seen", [NOTHING, (7, 11)])
def test_a_state_that_is_gone_is_built_again_in_a_later_life(seen: tuple[int, int]) -> None:
    known = Said({ORDERS: 9}, 50, life=7, commits=11)
    meta, lost = revive(None, known, seen, NOW_MS)
    assert lost
    assert (meta.life, meta.said, meta.offsets, meta.seq) == (NOW_MS, known, {}, 0)


def test_a_life_that_goes_on_from_an_older_state_was_born_with_that_one() -> None:
    first, _ = revive(None, None, NOTHING, NOW_MS)
    known = Said({ORDERS: 9}, 50, first.life, 14)
    rolled_back, _ = revive(first, known, NOTHING, 2 * NOW_MS)
    assert (rolled_back.life, rolled_back.born) == (2 * NOW_MS, NOW_MS)
    wiped, _ = revive(None, known, NOTHING, NOW_MS)
    assert wiped.born == wiped.life == NOW_MS + 1


def test_a_life_is_later_than_the_lost_one_whatever_the_clock_says() -> None:
    assert revive(None, Said({ORDERS: 9}, life=2 * NOW_MS), NOTHING, NOW_MS)[0].life == 2 * NOW_MS + 1
    assert revive(None, None, (3 * NOW_MS, 1), NOW_MS)[0].life == 3 * NOW_MS + 1


@pytest.mark.parametrize(("known", "seen"), [(Said({ORDERS: 9}, 50, 7, 14), NOTHING), (None, (7, 13))])
def test_a_state_older_than_what_was_committed_begins_a_new_life(known: Said | None, seen: tuple[int, int]) -> None:
    meta, lost = revive(Meta(life=7, commits=12, seq=4, offsets={ORDERS: 5}), known, seen, NOW_MS)
    assert "12" in lost
    assert (meta.life, meta.seq, meta.commits, meta.offsets, meta.said) == (NOW_MS, 0, 12, {ORDERS: 5}, known)


def test_a_state_lost_twice_keeps_what_was_said_in_both_lives() -> None:
    first, second = Said({ORDERS: 9}, 50, 7, 11), Said({ORDERS: 4, LOGINS: 3}, 60, 8, 2)
    meta, _ = revive(Meta(life=8, commits=1, said=first), second, NOTHING, NOW_MS)
    assert meta.said == Said({ORDERS: 9, LOGINS: 3}, 60, 8, 2)
    assert decode_meta(encode_meta(meta)) == meta


def test_a_state_lost_twice_of_which_the_group_forgot_keeps_what_it_knew() -> None:
    first = Said({ORDERS: 9}, 50, 7, 11)
    assert revive(Meta(life=8, commits=1, said=first), None, (8, 2), NOW_MS)[0].said == first


def test_what_is_committed_to_the_group_does_not_go_back_while_a_state_is_built_again() -> None:
    meta = Meta(life=9, commits=3, clock_ms=20, offsets={ORDERS: 2, LOGINS: 1}, said=Said({ORDERS: 9}, 50, 7, 11))
    assert committable(meta) == {ORDERS: 9, LOGINS: 1}
    assert note_of(meta) == "9 3 50"


@pytest.mark.parametrize("note", ["", "7 3", "a b c", "7 3 5 1", "² 3 4", "7 3 ", "-7 3 5", f"{1 << 60} 3 5"])
def test_a_note_of_somebody_else_is_no_note(note: str) -> None:
    assert heard_of({ORDERS: Committed(9, note)}) == Said({ORDERS: 9})


def test_of_several_notes_the_latest_counts() -> None:
    assert heard_of({}) is None
    assert heard_of({ORDERS: Committed(0, "7 3 50")}) is None
    known = {ORDERS: Committed(9, "7 12 -50"), LOGINS: Committed(3, "7 11 40")}
    assert heard_of(known) == Said({ORDERS: 9, LOGINS: 3}, -50, 7, 12)


def test_what_was_said_is_withheld_and_the_rest_is_not() -> None:
    meta = Meta(clock_ms=40, offsets={ORDERS: 4}, said=Said({ORDERS: 10}, clock_ms=50))
    fresh = [alert(51), alert(5, offset=10), score(51), letter(10)]
    effects = Effects(
        outgoing=[alert(50), fresh[0], alert(5, offset=9), fresh[1], score(50), *fresh[2:], letter(9, None)]
    )
    effects.alerts = [NOTE, msgspec_note("a"), NOTE, msgspec_note("b")]
    assert withhold(meta, effects)
    assert effects.outgoing == fresh
    assert [note.band for note in effects.alerts] == ["a", "b"]


def test_a_score_of_a_step_that_goes_beyond_what_was_taken_in_is_sent() -> None:
    meta = Meta(clock_ms=40, offsets={ORDERS: 11}, said=Said({ORDERS: 10}, clock_ms=50))
    effects = Effects(outgoing=[score(50)])
    withhold(meta, effects)
    assert effects.outgoing == [score(50)]


def msgspec_note(band: str) -> AlertNote:
    return AlertNote("opened", band, "loyal", (), None)


@pytest.mark.parametrize(("clock_ms", "offset", "behind"), [(49, 10, True), (50, 9, True), (50, 10, False)])
def test_it_ends_with_the_earlier_lifes_offsets_and_clock(clock_ms: int, offset: int, *, behind: bool) -> None:
    meta = Meta(clock_ms=clock_ms, offsets={ORDERS: offset}, said=Said({ORDERS: 10}, clock_ms=50))
    assert withhold(meta, Effects()) is behind
    assert (meta.said is not None) is behind


def test_a_topic_created_anew_is_refused_by_name() -> None:
    meta = Meta(offsets={ORDERS: 9})
    check_topics(meta, {ORDERS: "a", LOGINS: "b"})
    check_topics(meta, {ORDERS: "a", LOGINS: "c"})  # nothing was taken of it
    check_topics(meta, {})
    with pytest.raises(TransportError, match=r"customer\.orders was created anew"):
        check_topics(meta, {ORDERS: "z"})
