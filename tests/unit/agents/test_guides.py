"""Which guide scores: the newest, live; in replay, the one of the epoch before."""

import pytest

from agents.guides import GUIDES_MAX, NOTHING_YET_MS, GuideBook
from tests.unit.models.samples import guide

DAY = 1_000


def book(*boundaries: int, epoch_ms: int | None = DAY) -> GuideBook:
    made = GuideBook(guide(0), epoch_ms)
    for version, boundary_ms in enumerate(boundaries, 1):
        made.add(boundary_ms, guide(version))
    return made


#  guides cut at      1000    2000            4000
#  epochs        |  0  |  1  |  2  |  3  |  4  |  5  |  6
#  version that     0     0     1     2     2     3     3
#  speaks
@pytest.mark.parametrize(
    ("at_ms", "version"),
    [(-1, 0), (0, 0), (999, 0), (1_999, 0), (2_000, 1), (2_999, 1), (3_000, 2), (4_999, 2), (5_000, 3), (99_000, 3)],
)
def test_in_replay_the_guide_of_the_epoch_before_speaks(at_ms: int, version: int) -> None:
    assert book(1_000, 2_000, 4_000).at(at_ms).guide.version == version


def test_live_the_newest_speaks_whatever_the_time() -> None:
    live = book(1_000, 2_000, epoch_ms=None)
    assert [live.at(at_ms).guide.version for at_ms in (0, 1_500, 9_000)] == [2, 2, 2]
    assert live.limit_ms() is None
    assert not live.holds(9_000)


def test_before_anything_is_learnt_the_initial_guide_speaks() -> None:
    assert book().at(5_000).guide.version == book().latest.guide.version == 0


def test_a_guide_taken_up_twice_or_too_late_changes_nothing() -> None:
    made = book(1_000, 2_000)
    made.add(2_000, guide(9))
    made.add(1_500, guide(9))
    assert made.latest.guide.version == 2
    assert made.at(3_500).guide.version == 2


def test_a_new_guide_is_heard_within_the_epoch_in_which_the_last_scoring_was() -> None:
    made = book(1_000)
    assert made.at(4_500).guide.version == 1
    made.add(3_000, guide(2))
    assert made.at(4_600).guide.version == 2


def test_partitions_run_no_further_than_two_epochs_from_what_is_learnt() -> None:
    made = book(1_000)
    assert made.limit_ms() == NOTHING_YET_MS
    made.finished(1_000)
    assert made.limit_ms() == 3_000
    assert made.holds(3_000)
    assert not made.holds(2_999)
    assert not made.holds(None)
    made.finished(2_500)
    assert made.limit_ms() == 4_000
    made.finished(1_500)
    assert (made.limit_ms(), made.learnt_until_ms) == (4_000, 2_500)


def test_no_scoring_below_the_limit_depends_on_what_is_learnt_later() -> None:
    made = book(1_000, 2_000)
    made.finished(2_000)
    limit_ms = made.limit_ms()
    assert limit_ms is not None
    before = [made.at(at_ms).guide.version for at_ms in range(0, limit_ms, 100)]
    for boundary_ms in range(3_000, 8_000, DAY):
        made.add(boundary_ms, guide(boundary_ms))
        made.finished(boundary_ms)
    assert [made.at(at_ms).guide.version for at_ms in range(0, limit_ms, 100)] == before


@pytest.mark.parametrize("epoch_ms", [None, DAY])
def test_a_pinned_guide_speaks_alone_until_it_is_unpinned(epoch_ms: int | None) -> None:
    made = book(1_000, 2_000, epoch_ms=epoch_ms)
    newest = made.at(9_000).guide.version
    made.pin(guide(7))
    assert made.at(0).guide.version == made.at(9_000).guide.version == made.latest.guide.version == 7
    made.add(5_000, guide(8))
    assert made.at(9_000).guide.version == 7
    made.pin(None)
    assert made.at(9_000).guide.version == 8 != newest


def test_what_is_known_is_told() -> None:
    made = book(1_000, 3_000)
    assert [made.known(boundary_ms) for boundary_ms in (500, 1_000, 3_000, 3_001)] == [True, True, True, False]
    assert not book().known(0)


def test_the_book_is_bounded() -> None:
    made = book(*range(DAY, (GUIDES_MAX + 50) * DAY, DAY))
    assert len(made._boundaries) == len(made._scorers) == GUIDES_MAX
    assert made.at((GUIDES_MAX + 10) * DAY).guide.version == GUIDES_MAX + 9
