import pytest

from models.store import (
    HEAD_SCHEMA,
    Head,
    MemoryLearner,
    MemoryLearnerStore,
    decode_head,
    decode_record,
    encode_head,
)
from streams.errors import Corrupt, NewerSchema, StateError
from tests.unit.models.store_suite import LearnerStoreSuite, Make


@pytest.fixture
def make() -> Make:
    data = MemoryLearner()
    return lambda: MemoryLearnerStore(data)


class TestMemoryLearnerStore(LearnerStoreSuite):
    """The suite of all stores."""


#   boundary    5    10        20    25       a guide speaks from its boundary on
#   version     0     7         9     9
@pytest.mark.parametrize(("boundary_ms", "version"), [(10, 7), (19, 7), (20, 9), (10**15, 9)])
def test_which_guide_speaks_at_a_boundary(boundary_ms: int, version: int) -> None:
    assert Head(version=9, guides=((10, 7), (20, 9))).version_at(boundary_ms) == version


def test_before_the_first_guide_the_initial_one_speaks() -> None:
    assert Head(version=1, guides=((10, 1),)).version_at(9) == 0
    assert Head().version_at(9) == 0


def test_a_guide_that_is_gone_is_not_replaced_by_another() -> None:
    with pytest.raises(StateError, match="no longer kept"):
        Head(version=9, guides=((10, 7), (20, 9))).version_at(9)


def test_a_newer_head_is_refused() -> None:
    with pytest.raises(NewerSchema, match="upgrade"):
        decode_head(bytes((HEAD_SCHEMA + 1,)) + encode_head(Head())[1:])


@pytest.mark.parametrize("value", [b"", b"\x01", b"\x01\xc1", b"\x00x"])
def test_what_is_no_head_is_refused(value: bytes) -> None:
    with pytest.raises(Corrupt, match="learn anew"):
        decode_head(value)


def test_what_is_no_version_cannot_be_pinned() -> None:
    with pytest.raises(Corrupt, match="pin another"):
        decode_head(encode_head(Head()), b"x")


def test_what_is_no_record_is_refused() -> None:
    with pytest.raises(Corrupt, match="history"):
        decode_record(b"\x01\xc1")
