r"""What a number that was stored or sent may be: types that MessagePack's decoder holds values to, at no cost that can be measured.

Whoever can write to Redis or to a topic can write any number. One beyond these could not be written as a date, would overflow the 64
bits that MessagePack has when something is added to it, or (not a number) pass every comparison; so it is refused where it is read.

>>> import msgspec
>>> msgspec.msgpack.decode(b"\x05", type=Count)
5
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from streams.time import INSTANT_MAX_MS, day_of

NEVER_MS: Final = -(1 << 62)
"""Stands for an instant before all others."""

DAY_MAX: Final = day_of(INSTANT_MAX_MS)
SUM_LIMIT: Final = (1 << 62) + (1 << 61)
"""Above the 2^62 at which sums stop, and far enough below 2^63 for more to be added."""

InstantMs = Annotated[int, Meta(ge=0, le=INSTANT_MAX_MS)]
"""An instant of the calendar, in epoch milliseconds."""

ClockMs = Annotated[int, Meta(ge=-SUM_LIMIT, le=INSTANT_MAX_MS)]
"""How far something has come: an instant, or about `NEVER_MS`."""

Day = Annotated[int, Meta(ge=-1, le=DAY_MAX)]
"""A UTC day; -1 for none."""

COUNT_MAX: Final = 1 << 48
Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
Sum = Annotated[int, Meta(ge=0, le=SUM_LIMIT)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Finite = Annotated[float, Meta(ge=-1e200, le=1e200)]
"""A number, and no infinity, nor what adds up to one. A weight of a feature that hardly varies is large indeed."""

Tally = Annotated[int, Meta(ge=-SUM_LIMIT, le=SUM_LIMIT)]
"""A count that is kept by adding and taking away; what was forgotten outside may leave it below 0."""
