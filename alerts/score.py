"""The score, to the letter of the published format: one message a customer, written when the band changes."""

from __future__ import annotations

from typing import Final

import msgspec

from alerts.alert import ModelStamp
from alerts.bands import Band
from streams.errors import Corrupt, NewerSchema
from streams.time import iso

SCHEMA_VERSION: Final = 1


class Score(msgspec.Struct, frozen=True):
    """One message on the scores' topic; bands as in `bands`, `previous_band` null where there is none."""

    schema_version: int
    customer_id: str
    scored_at: str
    risk: float
    band: Band
    previous_band: Band | None
    segment: str
    model: ModelStamp


def build(
    *,
    customer_id: str,
    at_ms: int,
    risk: float,
    band: Band,
    previous_band: Band | None,
    segment: str,
    model: ModelStamp,
) -> Score:
    """Return the score of a customer whose band has changed (see `bands.steady_band`) at `at_ms`."""
    return Score(SCHEMA_VERSION, customer_id, iso(at_ms), round(risk, 4), band, previous_band, segment, model)


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Score)


def encode(score: Score) -> bytes:
    """Return the message's value: UTF-8 JSON, the same bytes for the same score."""
    return _encoder.encode(score)


def decode(value: bytes) -> Score:
    """Return the score in a message's value; unknown fields are ignored.

    Raises:
        NewerSchema: a newer Churnwatch wrote it in a format that this one does not know.
        Corrupt: it is not a score.
    """
    try:
        score = _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Corrupt(f"a message on the scores' topic is not a score ({error}): skip it") from error
    if score.schema_version > SCHEMA_VERSION:
        raise NewerSchema(f"a score has schema {score.schema_version}, this program knows {SCHEMA_VERSION}: upgrade it")
    return score
