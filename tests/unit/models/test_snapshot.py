import math
import pickle
import random
import struct

import msgspec
import pytest

from models.pipeline import ChurnModel
from models.snapshot import MODEL_SCHEMA, ModelState, dump_model, load_model
from streams.errors import Corrupt, NewerSchema, StateError
from tests.unit.models.samples import NAMES, SCALES
from tests.unit.models.test_pipeline import taught


def changed(value: bytes, **fields: object) -> bytes:
    state = msgspec.msgpack.decode(value[1:], type=ModelState)
    return value[:1] + msgspec.msgpack.encode(msgspec.structs.replace(state, **fields))


def test_a_model_put_back_continues_as_if_nothing_had_happened() -> None:
    kept, rng = taught(1), random.Random(5)
    put_back = load_model(dump_model(kept), NAMES, SCALES)
    for _ in range(50):
        features = [rng.expovariate(0.1), rng.random(), rng.gauss(0, 1)]
        assert put_back.predict(features) == kept.predict(features)
        kept.learn(features, 1)
        put_back.learn(features, 1)
    assert dump_model(put_back) == dump_model(kept)


def test_a_model_that_has_seen_nothing_can_be_put_back() -> None:
    fresh = ChurnModel(NAMES, SCALES)
    put_back = load_model(dump_model(fresh), NAMES, SCALES)
    put_back.learn([1.0, 2.0, 3.0], 1)
    fresh.learn([1.0, 2.0, 3.0], 1)
    assert dump_model(put_back) == dump_model(fresh)


@pytest.mark.parametrize(
    "value", [b"", b"\x01", b"\x01\xc1", b"\x00" * 99, pickle.dumps([1.0])[1:].join([b"\x00", b""])]
)
def test_what_is_no_model_is_refused(value: bytes) -> None:
    with pytest.raises(Corrupt, match="learn anew"):
        load_model(value, NAMES, SCALES)


def test_a_cut_off_model_is_refused() -> None:
    value = dump_model(taught(1))
    with pytest.raises(Corrupt, match="learn anew"):
        load_model(value[:-9], NAMES, SCALES)


@pytest.mark.parametrize(
    "fields",
    [
        {"means": b"12345678"},
        {"products": b"1234567"},
        {"between_labels": b""},
        {"groups": {7: (1, 0, b"")}},
        {"weights": struct.pack("<3d", 1.0, math.inf, 0.0)},
        {"variances": struct.pack("<3d", 1.0, math.nan, 0.0)},
    ],
)
def test_parts_that_do_not_fit_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(Corrupt, match="fit together"):
        load_model(changed(dump_model(taught(1)), **fields), NAMES, SCALES)


def test_a_newer_model_is_refused() -> None:
    with pytest.raises(NewerSchema, match="upgrade"):
        load_model(bytes((MODEL_SCHEMA + 1,)) + dump_model(taught(1))[1:], NAMES, SCALES)


def test_a_model_of_other_features_is_refused() -> None:
    value = dump_model(taught(1))
    with pytest.raises(StateError, match="other features"):
        load_model(value, [*NAMES[:2], "another"], SCALES)
    with pytest.raises(StateError, match="other features"):
        load_model(value, NAMES, ["linear", *SCALES[1:]])
