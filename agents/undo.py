"""How things stood before a record, so that one which cannot be worked on leaves no trace but its dead letter."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Final

import msgspec

from agents.effects import Effects
from agents.record import Customer

_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(Customer).decode


class Undo:
    """Remembers one customer and the step's effects so far; counts of work done (scorings, statistics) stay as they are.

    A customer is remembered written down as it is, which costs a few microseconds; in the store it stands shorter, which costs more.
    """

    __slots__ = ("_customer_id", "_lengths", "_membership", "_sums", "_value")

    def __init__(self, customers: MutableMapping[str, Customer], customer_id: str, effects: Effects) -> None:
        customer = customers.get(customer_id)
        self._customer_id = customer_id
        self._value = None if customer is None else _ENCODE(customer)
        self._lengths = len(effects.outgoing), len(effects.examples), len(effects.alerts)
        self._membership = customer_id in effects.touched, customer_id in effects.deleted
        self._sums = effects.episodes_opened, effects.customers_added

    def run(self, customers: MutableMapping[str, Customer], effects: Effects) -> None:
        """Put everything back."""
        customer_id = self._customer_id
        if self._value is None:
            customers.pop(customer_id, None)
        else:
            customers[customer_id] = _DECODE(self._value)
        outgoing, examples, alerts = self._lengths
        del effects.outgoing[outgoing:], effects.examples[examples:], effects.alerts[alerts:]
        for names, was_in in zip((effects.touched, effects.deleted), self._membership, strict=True):
            (names.add if was_in else names.discard)(customer_id)
        effects.episodes_opened, effects.customers_added = self._sums
