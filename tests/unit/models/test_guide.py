import msgspec
import pytest

from models.guide import GUIDE_SCHEMA, Scale, check_features, decode_guide, encode_guide, initial_guide
from streams.errors import Corrupt, NewerSchema, StateError
from tests.unit.models.samples import NAMES, SCALES, guide

WIDE = [f"some_feature_{number}d" for number in range(45)]
LOGS: list[Scale] = ["log"] * 45


def test_a_guide_survives_the_store() -> None:
    full = guide(thresholds={"loyal": 0.5}, value_cut=12.5, extra={"openings": {"loyal": 1.5}}, quality={"auc": 0.7})
    assert decode_guide(encode_guide(full)) == full


def test_a_guide_is_a_few_kilobytes() -> None:
    assert len(encode_guide(initial_guide(WIDE, LOGS))) < 4_000


def test_the_initial_guide_is_not_ready() -> None:
    first = initial_guide(NAMES, SCALES)
    assert (first.version, first.examples, first.ready, first.base_rate) == (0, 0, False, 0.5)


@pytest.mark.parametrize("value", [b"", b"\x01", b"\x01\xc1", b"\x01\x80", b"\x00" * 9])
def test_what_is_no_guide_is_refused(value: bytes) -> None:
    with pytest.raises(Corrupt, match="delete it"):
        decode_guide(value)


def test_a_cut_off_guide_is_refused() -> None:
    value = encode_guide(guide())
    with pytest.raises(Corrupt, match="delete it"):
        decode_guide(value[: len(value) // 2])


def test_a_newer_guide_is_refused() -> None:
    with pytest.raises(NewerSchema, match="upgrade"):
        decode_guide(bytes((GUIDE_SCHEMA + 1,)) + encode_guide(guide())[1:])


def test_a_guide_of_other_features_is_refused() -> None:
    check_features(guide(), list(NAMES), list(SCALES))
    with pytest.raises(StateError, match="other features"):
        check_features(guide(), NAMES[::-1], SCALES)
    with pytest.raises(StateError, match="other features"):
        check_features(guide(), NAMES, SCALES[::-1])


def test_parts_of_different_length_are_refused() -> None:
    odd = msgspec.structs.replace(guide(), means=(1.0,))
    with pytest.raises(Corrupt, match="differ in length"):
        decode_guide(encode_guide(odd))
