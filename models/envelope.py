"""How values of this room are written: one byte of schema version, then MessagePack. Data only: reading runs no code."""

from __future__ import annotations

import zlib
from typing import Final, Generic, TypeVar

import msgspec

from streams.errors import Corrupt, NewerSchema

SCHEMA_MAX: Final = 255
LEVEL: Final = 1
"""Vectors are mostly zeros: the quickest level makes a quarter of them, and none makes much less."""

PLAIN_BYTES_MAX: Final = 1 << 24
"""What is compressed may be a bomb."""

_Value = TypeVar("_Value", bound=msgspec.Struct)


class Envelope(Generic[_Value]):
    r"""The written form of one kind of value.

    Args:
        kind: the struct.
        schema: version of its layout, 1 to 255; raised whenever older programs could not read it.
        what: how to call it in an error.
        remedy: what to do about one that cannot be read.
        oldest: the first schema that can still be read.
        packed: from this schema on what follows the first byte is compressed (zlib); None: never.

    >>> class Point(msgspec.Struct, array_like=True):
    ...     x: int
    >>> Envelope(Point, 1, "the point", "draw it anew").encode(Point(5))
    b'\x01\x91\x05'
    """

    def __init__(
        self, kind: type[_Value], schema: int, what: str, remedy: str, *, oldest: int = 1, packed: int | None = None
    ) -> None:
        self._schema = schema
        self._packed = SCHEMA_MAX + 1 if packed is None else packed
        self._oldest = oldest
        self._what = what
        self._remedy = remedy
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(kind)

    def encode(self, value: _Value) -> bytes:
        """Return the value's bytes; the same for the same value."""
        plain = self._encoder.encode(value)
        return bytes((self._schema,)) + (plain if self._schema < self._packed else zlib.compress(plain, LEVEL))

    def decode(self, written: bytes) -> _Value:
        """Return the value in `written`.

        Raises:
            NewerSchema: a newer Churnwatch wrote it.
            Corrupt: it is not such a value, or of a schema that is read no more.
        """
        schema = written[0] if written else 0
        if schema > self._schema:
            raise NewerSchema(
                f"{self._what} has schema {schema}, this program knows up to {self._schema}: upgrade this program"
            )
        if written and schema < self._oldest:
            raise Corrupt(f"{self._what} has schema {schema}, this program reads {self._oldest} on: {self._remedy}")
        try:
            return self._decoder.decode(written[1:] if schema < self._packed else _unpacked(written[1:]))
        except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Corrupt(f"{self._what} cannot be read ({error}): {self._remedy}") from error


def _unpacked(packed: bytes) -> bytes:
    reading = zlib.decompressobj()
    plain = reading.decompress(packed, PLAIN_BYTES_MAX)
    if not reading.eof or reading.unused_data:
        raise zlib.error(f"it is cut off, or more than {PLAIN_BYTES_MAX} bytes when unpacked")
    return plain
