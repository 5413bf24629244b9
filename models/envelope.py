"""How values of this room are written: one byte of schema version, then MessagePack. Data only: reading runs no code."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from streams.errors import Corrupt, NewerSchema

_Value = TypeVar("_Value", bound=msgspec.Struct)


class Envelope(Generic[_Value]):
    r"""The written form of one kind of value.

    Args:
        kind: the struct.
        schema: version of its layout, 1 to 255; raised whenever older programs could not read it.
        what: how to call it in an error.
        remedy: what to do about one that cannot be read.
        oldest: the first schema that can still be read.

    >>> class Point(msgspec.Struct, array_like=True):
    ...     x: int
    >>> Envelope(Point, 1, "the point", "draw it anew").encode(Point(5))
    b'\x01\x91\x05'
    """

    def __init__(self, kind: type[_Value], schema: int, what: str, remedy: str, *, oldest: int = 1) -> None:
        self._schema = schema
        self._oldest = oldest
        self._what = what
        self._remedy = remedy
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(kind)

    def encode(self, value: _Value) -> bytes:
        """Return the value's bytes; the same for the same value."""
        return bytes((self._schema,)) + self._encoder.encode(value)

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
            return self._decoder.decode(written[1:])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Corrupt(f"{self._what} cannot be read ({error}): {self._remedy}") from error
