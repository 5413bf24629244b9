"""Albums that are unpacked together give what each gives alone, whoever their neighbours are."""

from hypothesis import given
from hypothesis import strategies as st

from models.album import Album, unpack_latest
from models.labels import Pending
from streams.time import DAY_MS

octets = st.sampled_from([0, 0, 0, 1, 255, 7])
honest = st.integers(0, 40).flatmap(
    lambda size: st.lists(st.lists(octets, min_size=size, max_size=size).map(bytes), min_size=1, max_size=5)
)
forged = st.builds(Album, st.integers(0, 40), st.integers(1, 4).map(lambda count: bytes(16 * count)), st.binary())


def _album(vectors: list[bytes]) -> Album:
    return Album.of(Pending(7 * week * DAY_MS, vector, 0.5, 1, "new") for week, vector in enumerate(vectors))


@given(st.lists(honest.map(_album) | forged.filter(lambda album: album.fits), max_size=12))
def test_unpacked_together_and_one_by_one(some: list[Album]) -> None:
    alone = [Album(*album.written).latest_vector for album in some]
    fresh = [Album(*album.written) for album in some]
    unpack_latest(fresh)
    assert [album.latest_vector for album in fresh] == alone
