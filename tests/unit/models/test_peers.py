"""What is usual in a segment: exact, whatever the blocks; and what the scorer says of it."""

import numpy as np
import pytest
from msgspec.structs import replace

from models.block import Block, block
from models.guide import Linear, Scale, decode_guide, encode_guide, initial_guide
from models.labels import pack_vector
from models.peers import SEGMENTS_MAX, UNIT, Peers
from models.scorer import Scorer
from streams.errors import Corrupt

SCALES: tuple[Scale, ...] = ("log", "linear")


def examples(*rows: tuple[str, float, float]) -> Block:
    return block(
        [(2, 1, f"c{place}", 0, 0.5, 1, segment, pack_vector([a, b])) for place, (segment, a, b) in enumerate(rows)]
    )


def test_the_mean_customer_of_each_segment() -> None:
    peers = Peers()
    peers.add(examples(("loyal", np.e - 1, 2.0), ("loyal", 0.0, 4.0), ("new", 0.0, -1.0)), SCALES)
    assert peers.means() == {"loyal": (500, 3_000), "new": (0, -1_000)}


def test_blocks_make_no_difference() -> None:
    rows = [("loyal", float(place), place / 7) for place in range(20)]
    whole, parts = Peers(), Peers()
    whole.add(examples(*rows), SCALES)
    for row in rows:
        parts.add(examples(row), SCALES)
    assert whole == parts


def test_segments_are_bounded_and_absurd_values_clipped() -> None:
    peers = Peers()
    peers.add(examples(*((f"s{number:02d}", 1.0, 1e300) for number in range(SEGMENTS_MAX + 5))), SCALES)
    assert len(peers.means()) == SEGMENTS_MAX
    assert peers.means()["s00"][1] == 1e4 * UNIT


def test_what_does_not_fit_is_known() -> None:
    assert Peers().fit(2)
    assert Peers({"new": 1}, {"new": [1, 2]}).fit(2)
    assert not Peers({"new": 1}, {"new": [1]}).fit(2)
    assert not Peers({"new": 0}, {"new": [1, 2]}).fit(2)
    assert not Peers({}, {"new": [1, 2]}).fit(2)


def test_a_guide_carries_them_and_the_scorer_tells_what_they_contribute() -> None:
    slopes = Linear(0.0, (1.0, 0.5)), Linear(0.5, (0.0, 0.0))
    guide = replace(
        initial_guide(["a", "b"], SCALES), logistic=slopes[0], within=slopes[1], peers={"loyal": (500, 2_000)}
    )
    scorer = Scorer(decode_guide(encode_guide(guide)))
    assert scorer.usual("loyal") == pytest.approx(scorer.contributions([np.exp(0.5) - 1, 2.0]))
    assert scorer.usual("new") == [0.0, 0.0]
    with pytest.raises(Corrupt, match="differ in length"):
        decode_guide(encode_guide(replace(guide, peers={"loyal": (1,)})))
