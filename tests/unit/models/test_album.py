"""Waiting snapshots as one small value: what comes out is what went in, and nothing forged fails later than where it is read."""

import math

import msgspec
import pytest

from models.album import EMPTY, SNAPSHOTS_MAX, VERSION_MAX, Album
from models.labels import Pending, pack_vector
from streams.bounds import DAY_MAX
from streams.time import DAY_MS


def snapshot(week: int, *figures: float, segment: str = "loyal", version: int = 3) -> Pending:
    return Pending(7 * week * DAY_MS, pack_vector(figures), 1 / (week + 2), version, segment)


def test_nothing_waits_at_first() -> None:
    assert (len(EMPTY), bool(EMPTY), list(EMPTY)) == (0, False, [])
    assert EMPTY.without(0) is EMPTY.without(3) is EMPTY


def test_the_oldest_and_the_newest_are_at_hand() -> None:
    first, *_, last = given = [snapshot(week, 7.0 * week, 1.0, 0.1 * week, 0.0) for week in range(9)]
    album = Album.of(given)
    assert list(album) == given
    assert (album.first_ms, album.first_vector) == (first.taken_ms, first.vector)
    assert album.latest == (last.taken_ms, last.risk, last.version, last.segment)
    assert album.latest_vector == last.vector
    assert list(album.without(3)) == given[3:]
    assert album.without(9) == EMPTY


def test_numbers_that_are_none_are_kept_to_the_bit() -> None:
    given = [snapshot(week, math.nan, -0.0, math.inf, 1e-45 * week) for week in range(3)]
    assert list(Album.of(given)) == given


def test_a_week_in_which_little_changes_takes_little() -> None:
    steady = [0.0] * 40 + [11.77] * 20 + [1.0] * 10
    given = [snapshot(week, 7.0 * week, 14.0 + week, 0.3 * week, *steady) for week in range(9)]
    album = Album.of(given)
    assert len(given[0].vector) == 292
    assert (len(album.rows) - len(Album.of(given[-1:]).rows)) / 8 < 30


def test_those_with_another_number_of_features_make_way() -> None:
    album = Album.of([snapshot(1, 5.0), snapshot(2, 6.0)]).add(snapshot(3, 7.0, 8.0))
    assert list(album) == [snapshot(3, 7.0, 8.0)]


def test_names_that_nobody_bears_any_more_are_forgotten() -> None:
    album = EMPTY
    for week in range(200):
        album = album.without(len(album) // 3).add(snapshot(week, 1.0, segment=f"segment {week}"))
        assert len(album.segments) <= len(album)
        assert [one.segment for one in album][-1] == f"segment {week}"


def test_a_version_that_nobody_cut_counts_as_the_greatest() -> None:
    (read,) = Album.of([snapshot(1, 1.0, version=1 << 40)])
    assert read.version == VERSION_MAX


@pytest.mark.parametrize(
    "heads", [b"\xff" * 16, b"\0" * 7 + b"\x80" + b"\xff" * 8, b"\0\0\0\0\0\0\xf8\x7f" + b"\0" * 8]
)
def test_what_was_forged_is_a_snapshot_of_something(heads: bytes) -> None:
    honest = Album.of([snapshot(1, 1.0, 2.0)])
    (read,) = msgspec.structs.replace(honest, heads=heads)
    assert 0.0 <= read.risk <= 1.0
    assert 0 <= read.taken_ms <= DAY_MAX * DAY_MS
    assert 0 <= read.version <= VERSION_MAX
    assert read.segment in ("", "loyal")


def test_bits_beyond_the_last_byte_do_no_harm() -> None:
    forged = Album(12, b"\0" * 32, b"\xff\xff" + b"\xff" * 16 + b"\x05" * 128)
    assert forged.fits
    assert [len(one.vector) for one in forged] == [12, 12]
    assert (len(forged.latest_vector), len(forged.first_vector)) == (12, 12)
    for other in (forged.without(1), forged.add(snapshot(9, 1.0, 2.0, 3.0))):
        assert all(len(one.vector) == 12 for one in other)


@pytest.mark.parametrize(("size", "heads"), [(5_000, 1), (-1, 0), (4, SNAPSHOTS_MAX + 1)])
def test_more_than_a_customer_can_have_is_refused(size: int, heads: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode([size, b"\0" * 16 * heads]), type=Album)
