"""The album of waiting snapshots against a plain list of them: whatever is put in comes out again, to the bit."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from models.album import EMPTY, Album, unpack_latest
from models.labels import Pending
from streams.time import DAY_MS

vectors = st.integers(0, 80).flatmap(
    lambda size: st.lists(
        st.lists(st.sampled_from([0, 0, 0, 1, 255, 7]), min_size=size, max_size=size).map(bytes), max_size=9
    )
)
ends = st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1), st.integers(0, 1 << 24), st.sampled_from("abc")))


@given(vectors, ends)
def test_an_album_is_a_list_of_snapshots(rows: list[bytes], said: list[tuple[int, float, int, str]]) -> None:
    album = EMPTY
    plain: list[Pending] = []
    for week, (row, (gone, risk, version, segment)) in enumerate(zip(rows, said, strict=False)):
        asked = Pending(7 * week * DAY_MS, row, risk, min(version, (1 << 24) - 1), segment)
        album, plain = album.without(gone).add(asked), [*plain[gone:], asked]
        assert list(album) == plain
        assert (len(album), album.first_ms, album.latest.version) == (len(plain), plain[0].taken_ms, asked.version)
        assert (album.first_vector, album.latest_vector) == (plain[0].vector, row)
        read = msgspec.msgpack.decode(msgspec.msgpack.encode(album.written), type=Album)
        assert read.fits
        assert read == album
        assert read.latest_vector == row
        unpack_latest([album.without(0), read, Album.of(plain)])
        assert list(read) == plain
        assert list(Album.of(plain)) == plain


@given(st.integers(0, 40), st.integers(0, 4), st.binary(max_size=200), st.binary(min_size=80, max_size=80))
def test_whatever_fits_can_be_read(size: int, count: int, rows: bytes, heads: bytes) -> None:
    forged = Album(size, heads[: 16 * count], rows)
    if forged.fits:
        assert [len(one.vector) for one in forged] == [size] * count
        assert len(forged.add(Pending(0, bytes(size), 0.5, 1, "new"))) >= 1
        assert len(forged.without(1)) == max(count - 1, 0)
