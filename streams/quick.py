"""The short way from JSON to an event: for what most producers send most of the time, a third of the time that a form takes.

It takes nothing that the event's form (`streams.forms`) would refuse, and gives what the form would give; whatever it does not
take, good or bad, the form judges. So it may decline freely, and does where the two readers of JSON differ (what neither has a use for,
they skip with more care or with less): text that is not UTF-8, numbers of thousands of digits, values nested hundreds deep.
Held by tests/properties/test_streams_quick.py.

Of the three streams that are rare, all are judged by their forms.
"""

from __future__ import annotations

from typing import Final

import msgspec

from streams.events import InputEvent, Login, Order, Review, Ticket
from streams.time import parse_instant

BYTES_MAX: Final = 4_000
"""A number of more digits than Python reads does not fit."""

SHALLOW_BYTES_MAX: Final = 256
"""Too short for a value that is nested too deep."""

OPENINGS_MAX: Final = 100

_DECODERS: Final = {
    "logins": msgspec.json.Decoder(Login).decode,
    "orders": msgspec.json.Decoder(Order).decode,
    "tickets": msgspec.json.Decoder(Ticket).decode,
    "reviews": msgspec.json.Decoder(Review).decode,
}


def event_quickly(stream: str, value: bytes) -> InputEvent | None:
    """Return the event of `stream` that is in JSON; None where its form must say whether there is one.

    >>> event_quickly("logins", b'{"event_id": "e", "customer_id": "c", "occurred_at": "1970-01-01T00:00:05Z"}').occurred_at
    5000
    """
    decode = _DECODERS.get(stream)
    if decode is None:
        return None
    size = len(value)
    if size > SHALLOW_BYTES_MAX and (size > BYTES_MAX or value.count(b"[") + value.count(b"{") > OPENINGS_MAX):
        return None
    try:
        if not value.isascii():
            value.decode()
        event: InputEvent = decode(value)
        at_ms = parse_instant(event.occurred_at)
    except ValueError:  # msgspec's are, as are those of UTF-8
        return None
    if isinstance(event, Order):
        currency = event.currency
        if currency is not None and not (currency.isascii() and currency.isalpha() and currency.isupper()):
            return None
    elif isinstance(event, Review) and event.rating is None and event.nps is None:
        return None
    # Nobody has seen the record yet: this is the end of its making, not a change.
    msgspec.structs.force_setattr(event, "occurred_at", at_ms)
    return event
