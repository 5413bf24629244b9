import math
import struct
import zlib

import pytest

from models.album import EMPTY, Album, remember, ripe
from models.envelope import PLAIN_BYTES_MAX
from models.labels import (
    BATCH_SCHEMA,
    INPUT_MAX,
    Example,
    ExampleBatch,
    Pending,
    decode_batch,
    encode_batch,
    mature,
    pack_vector,
    pseudonym,
    unpack_vector,
)
from models.question import Question
from streams.errors import Corrupt, NewerSchema
from streams.time import DAY_MS

QUESTION = Question(horizon_days=10, snapshot_days=7, anchor_ms=0)
SNAPSHOT = Pending(7 * DAY_MS, pack_vector([1.0, 2.0]), 0.25, 3, "loyal")
MATURES_MS = 17 * DAY_MS


def never(first_day: int, end_day: int) -> bool:
    return False


def on_day(day: int) -> object:
    return lambda first_day, end_day: first_day <= day < end_day


#      taken (d7)                   matures (d17)
#   -----|=============================|-----
#        ^ counts              ^ counts ^ too late
@pytest.mark.parametrize(("order_day", "label"), [(6, 1), (7, 0), (16, 0), (17, 1)])
def test_the_label_says_whether_an_order_fell_into_the_horizon(order_day: int, label: int) -> None:
    examples = mature([SNAPSHOT], MATURES_MS, on_day(order_day), None, QUESTION, "c")  # type: ignore[arg-type]
    assert [(example.label, example.matured_ms) for example in examples] == [(label, MATURES_MS)]


def test_no_label_a_millisecond_before_its_time() -> None:
    assert mature([SNAPSHOT], MATURES_MS - 1, never, None, QUESTION, "c") == []
    assert not ripe(Album.of([SNAPSHOT]), MATURES_MS - 1, None, QUESTION)


def test_whether_there_may_be_a_label() -> None:
    assert ripe(Album.of([SNAPSHOT]), MATURES_MS, None, QUESTION)
    assert ripe(Album.of([SNAPSHOT]), 8 * DAY_MS, 8 * DAY_MS, QUESTION)
    assert not ripe(EMPTY, MATURES_MS, 8 * DAY_MS, QUESTION)


def test_a_label_found_late_is_matured_when_it_was_due() -> None:
    examples = mature([SNAPSHOT], MATURES_MS + 99 * DAY_MS, never, None, QUESTION, "c")
    assert examples[0].matured_ms == MATURES_MS


def test_the_example_carries_what_was_said_at_the_time() -> None:
    examples = mature([SNAPSHOT], MATURES_MS, never, None, QUESTION, "00ff")
    assert examples == [Example("00ff", 7 * DAY_MS, MATURES_MS, 1, 0.25, 3, "loyal", SNAPSHOT.vector)]


def test_a_cancellation_is_a_label_at_once() -> None:
    cancelled_ms = 9 * DAY_MS + 5
    examples = mature([SNAPSHOT], cancelled_ms, on_day(8), cancelled_ms, QUESTION, "c")  # type: ignore[arg-type]
    assert [(example.label, example.matured_ms) for example in examples] == [(1, cancelled_ms)]


@pytest.mark.parametrize("cancelled_ms", [7 * DAY_MS - 1, MATURES_MS])
def test_a_cancellation_outside_the_horizon_is_no_label(cancelled_ms: int) -> None:
    examples = mature([SNAPSHOT], MATURES_MS, on_day(8), cancelled_ms, QUESTION, "c")  # type: ignore[arg-type]
    assert examples[0].label == 0


def test_at_most_one_snapshot_per_instant() -> None:
    waiting = Album.of([SNAPSHOT])
    assert remember(waiting, SNAPSHOT, QUESTION) == waiting
    assert remember(waiting, Pending(0, b"", 0.5, 0, "new"), QUESTION) == waiting


def test_the_list_of_snapshots_is_bounded() -> None:
    pending = EMPTY
    for week in range(20):
        pending = remember(pending, Pending(7 * week * DAY_MS, b"", 0.5, 0, "new"), QUESTION)
    assert [kept.taken_ms // DAY_MS for kept in pending] == [0, 7]
    assert len(pending) == QUESTION.pending_max


def test_vectors_are_packed_as_32_bit_floats() -> None:
    assert unpack_vector(pack_vector([0.5, -3.0, 0.1])) == pytest.approx((0.5, -3.0, 0.1), rel=1e-7)
    assert len(pack_vector([0.0] * 45)) == 180


def test_numbers_beyond_32_bits_are_clipped() -> None:
    assert unpack_vector(pack_vector([1e300, -1e300, 1.0])) == (INPUT_MAX, -INPUT_MAX, 1.0)
    assert math.isnan(unpack_vector(pack_vector([math.nan]))[0])


def test_a_damaged_vector_is_named() -> None:
    with pytest.raises(Corrupt, match="5 bytes"):
        unpack_vector(b"12345")


def test_a_pseudonym_is_sixteen_hex_characters_and_no_name() -> None:
    assert pseudonym("ann") == pseudonym("ann") != pseudonym("bob")
    assert len(bytes.fromhex(pseudonym("Ünï ☃"))) == 8


def test_a_batch_survives_the_topic() -> None:
    example = Example("00ff", 0, 5, 1, 0.25, 3, "loyal", struct.pack("<f", 1.5))
    batch = ExampleBatch(2, 4, 17, 123, True, [example], {10: {"loyal": {3: 1}}})
    assert decode_batch(encode_batch(batch)) == batch


@pytest.mark.parametrize(
    "value", [b"", b"\x01", b"\x01\xc1", b"\x00\x93", b"\x01\x93\x01\x02\x03", b"junk"[:0] + b"\x01junk"]
)
def test_what_is_no_batch_is_refused(value: bytes) -> None:
    with pytest.raises(Corrupt, match="skip it"):
        decode_batch(value)


def test_a_newer_batch_is_refused() -> None:
    with pytest.raises(NewerSchema, match="upgrade"):
        decode_batch(bytes((BATCH_SCHEMA + 1,)) + b"whatever")


def test_a_bomb_is_refused() -> None:
    bomb = bytes((BATCH_SCHEMA,)) + zlib.compress(bytes(PLAIN_BYTES_MAX + 1))
    with pytest.raises(Corrupt, match="more than"):
        decode_batch(bomb)


def test_what_is_cut_off_is_refused() -> None:
    value = encode_batch(ExampleBatch(0, 1, 1, 0))
    for end in range(1, len(value)):
        with pytest.raises(Corrupt):
            decode_batch(value[:end])


def test_a_week_of_silent_customers_is_small_on_the_wire() -> None:
    """In replay they mature at one instant, and a broker that keeps little is to hold them until the learner has come."""
    vector = pack_vector([0.0] * 50 + [float(n) for n in range(23)])
    examples = [Example(pseudonym(f"c{n}"), 8 * 10**11, 9 * 10**11, 1, n / 500, 3, "new", vector) for n in range(500)]
    assert len(encode_batch(ExampleBatch(0, 1, 1, 0, examples=examples))) < 100 * len(examples)


def test_an_example_is_small_on_the_wire() -> None:
    example = Example(pseudonym("ann"), 8 * 10**11, 9 * 10**11, 1, 0.25, 300, "high_value", pack_vector([0.5] * 45))
    one = len(encode_batch(ExampleBatch(0, 1, 1, 0, examples=[example])))
    two = len(encode_batch(ExampleBatch(0, 1, 1, 0, examples=[example, example])))
    assert two - one < 260
