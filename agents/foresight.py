"""What the looks of a whole step will ask of the model, computed at once: at the week's midnight everybody wakes at the same instant.

A look holds the risk of now against that of the customer's latest snapshot under the model of now (`look._shift`). Where the model has changed
since, that is a second score, of a vector that is known before the look: so those of all customers due are scored together
(`models.batch`), which takes a fourth of the time. The numbers are the same, bit for bit: who is not foreseen is scored singly.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Final

from agents.guides import GuideBook
from agents.record import Customer
from features.catalog import CATALOG, INDEX
from models.album import unpack_latest
from models.question import Question
from models.scorer import Scorer

WORTH_IT: Final = 16
"""Fewer than so many are scored as fast one by one."""

_FIGURE: Final = Struct("<f")
_ORDER_DAYS_AT: Final = INDEX["order_days"] * _FIGURE.size
_BYTES: Final = len(CATALOG) * _FIGURE.size


def foresee(due: Iterable[Customer], question: Question, min_order_days: int, guides: GuideBook) -> None:
    """Let the scorers know the latest snapshots of those who are due for a look.

    Args:
        due: customers as they are before the wake-up that is due.
        question: tells which wake-ups are for a label only, and without a look.
        min_order_days: nobody below is warned, so nobody asks; see `Policy`.
        guides: who will speak.
    """
    asked: dict[Scorer, list[bytes]] = {}
    awake = [customer for customer in due if customer.pending.heads and _looks(customer, question)]
    if len(awake) < WORTH_IT:
        return
    unpack_latest(customer.pending for customer in awake)
    for customer in awake:
        known, scorer = customer.pending.latest, guides.at(customer.wake_ms)
        version = scorer.guide.version
        # A vector of other features is the trouble of its customer's own look.
        if known.version and known.version != version and scorer.guide.ready and customer.pending.size == _BYTES:
            vector = customer.pending.latest_vector
            (order_days,) = _FIGURE.unpack_from(vector, _ORDER_DAYS_AT)
            if order_days >= min_order_days:
                asked.setdefault(scorer, []).append(vector)
    for scorer, vectors in asked.items():
        scorer.foresee(vectors)


def _looks(customer: Customer, question: Question) -> bool:
    wake_ms = customer.wake_ms
    return question.on_grid(wake_ms) or wake_ms != question.matures_ms(customer.pending.first_ms)
