"""What is done for a customer when no record comes: the customer's wake-ups, each as of its own due time.

A wake-up labels the snapshots whose time has come, takes the week's snapshot, looks at the silent customer (unless it came for a label
only), and sets the next wake-up, always later than itself. It never looks at the partition's clock, so one that comes late does what it
would have done in time.

A customer who has been silent for long is deleted, but not before the last event id is old enough to be forgotten (an event that
comes again must find that it is known), and but for a profile, which the business alone may take back.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from dataclasses import dataclass

from agents.effects import Effects
from agents.guides import GuideBook
from agents.look import Desk
from agents.record import Customer
from agents.silence import next_expiry_ms, next_wake_ms
from alerts.alert import SILENCE
from features.state import prune
from models.labels import mature, pseudonym, ripe
from models.question import Question
from streams.time import DAY_MS, iso

log = logging.getLogger("churnwatch.pipeline")

AGAIN_MS = DAY_MS
"""When a wake-up that failed is tried again."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept and for how long, in milliseconds: `retention_ms` of detail (older records are late), `expiry_ms` of a silent customer."""

    retention_ms: int
    lateness_ms: int
    expiry_ms: int


@dataclass(frozen=True, slots=True)
class Wakeups:
    """Handles them: `desk` looks at the customers, the rest is configuration."""

    desk: Desk
    question: Question
    keeping: Keeping

    def catch_up(
        self,
        customers: MutableMapping[str, Customer],
        customer_id: str,
        until_ms: int,
        guides: GuideBook,
        effects: Effects,
    ) -> Customer | None:
        """Handle the customer's wake-ups due by `until_ms`; returns the customer, None where there is none (any more)."""
        customer = customers.get(customer_id)
        while customer is not None and customer.wake_ms <= until_ms:
            due_ms = customer.wake_ms
            effects.wake_late_ms_max = max(effects.wake_late_ms_max, until_ms - due_ms)
            try:
                expired = self._wake(customer_id, customer, guides, effects)
            except Exception:  # whatever it is: one customer must not stop the others
                log.exception("A wake-up due at %s failed and is tried again a day later", iso(due_ms))
                customer.wake_ms = due_ms + AGAIN_MS
                effects.touched.add(customer_id)
                effects.failures += 1
                continue
            if expired:
                del customers[customer_id]
                customer = None
        return customer

    def _wake(self, customer_id: str, customer: Customer, guides: GuideBook, effects: Effects) -> bool:
        """Handle the customer's wake-up as of its due time; returns whether the customer has expired."""
        due_ms = customer.as_of_ms = customer.wake_ms
        effects.woken += 1
        labelled = self.label(customer_id, customer, effects)
        activity, present_ms = customer.activity, customer.present_ms
        on_grid = self.question.on_grid(due_ms)
        expiring = due_ms >= present_ms + self.keeping.expiry_ms
        if on_grid or expiring:
            prune(activity, due_ms)
        if expiring and not activity.seen:
            if customer.attributes is None or customer.attributes.says_nothing:
                effects.customers_added -= 1
                effects.touched.discard(customer_id)
                effects.deleted.add(customer_id)
                return True
            customer.reduce_to_profile()
        # Where the wake-up is for labels only, there is nothing to look at.
        if (
            customer.cancelled_ms is None
            and due_ms <= self.question.gone_ms(present_ms)
            and (on_grid or not labelled or self._next_ms(customer, due_ms - 1, None) == due_ms)
        ):
            snapshot = on_grid and self.question.asks(activity.last_order_ms, due_ms)
            effects.scorings["snapshot" if snapshot else "silence"] += 1
            self.desk.look(customer_id, customer, SILENCE, None, guides, effects, snapshot=snapshot)
        effects.touched.add(customer_id)
        self.set_next(customer)
        return False

    def label(self, customer_id: str, customer: Customer, effects: Effects) -> bool:
        """Turn the customer's snapshots whose answer is known into examples; returns whether there might be any."""
        pending, now_ms, cancelled_ms = customer.pending, customer.as_of_ms, customer.cancelled_ms
        if not ripe(pending, now_ms, cancelled_ms, self.question):
            return False
        activity = customer.activity
        happened = activity.orders_between if self.question.churn_on == "orders" else activity.activity_between
        name = pseudonym(customer_id)
        examples, customer.pending = mature(pending, now_ms, happened, cancelled_ms, self.question, name)
        effects.examples.extend(examples)
        return True

    def set_next(self, customer: Customer) -> None:
        """Set the customer's next wake-up, after `as_of_ms`."""
        pending = customer.pending
        matures_ms = self.question.matures_ms(pending[0].taken_ms) if pending else None
        customer.wake_ms = self._next_ms(customer, customer.as_of_ms, matures_ms)

    def _next_ms(self, customer: Customer, after_ms: int, first_pending_matures_ms: int | None) -> int:
        present_ms = customer.present_ms
        return next_wake_ms(
            after_ms=after_ms,
            silent_since_ms=present_ms if customer.cancelled_ms is None else None,
            first_pending_matures_ms=first_pending_matures_ms,
            episode_until_ms=customer.episode.next_look_ms(after_ms),
            expires_ms=next_expiry_ms(present_ms, after_ms, self.keeping.expiry_ms),
            question=self.question,
        )
