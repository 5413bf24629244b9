import msgspec
import pytest

from alerts.alert import model_stamp
from alerts.score import Score, build, decode, encode
from streams.errors import Corrupt, NewerSchema
from streams.time import DAY_MS

SCORE = build(
    customer_id="c-1",
    at_ms=9862 * DAY_MS,
    risk=0.7123456,
    band="watch",
    previous_band="low",
    segment="loyal",
    model=model_stamp("model", 3, 900),
)


def test_the_published_format_to_the_letter() -> None:
    assert encode(SCORE) == (
        b'{"schema_version":1,"customer_id":"c-1","scored_at":"1997-01-01T00:00:00Z","risk":0.7123,"band":"watch",'
        b'"previous_band":"low","segment":"loyal","model":{"version":"3","examples":900}}'
    )


def test_what_is_written_is_read() -> None:
    first: Score = msgspec.structs.replace(SCORE, previous_band=None)
    assert decode(encode(first)) == first


def test_what_is_no_score_is_named_so() -> None:
    with pytest.raises(Corrupt):
        decode(b"[]")
    with pytest.raises(NewerSchema):
        decode(encode(msgspec.structs.replace(SCORE, schema_version=2)))
