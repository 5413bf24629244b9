"""What is done for a customer when no record comes: the customer's wake-ups, each as of its own due time.

A wake-up labels the snapshots whose time has come, concludes the trial whose time is up, takes the week's snapshot, looks at the
silent customer (unless it came for the former two only), and sets the next wake-up, always later than itself. It never looks at the
partition's clock, so one that comes late does what it would have done in time.

With the live clock wake-ups wait for sources that are late (`PartitionClock.hold_ms`), records do not. So a customer may have been taken
further than to the next wake-up, which is then *overdue*. It is made up for as of its own time: labels and snapshots as if it had
come in time. There is no look at the customer, who was not silent.

A customer who has been silent for long is deleted, but not before the last event id is old enough to be forgotten (an event that
comes again must find that it is known), and but for a profile, which the business alone may take back.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass

from agents import steering
from agents.effects import Effects
from agents.foresight import foresee
from agents.guides import GuideBook
from agents.look import Desk
from agents.record import Customer
from agents.rewind import rewound
from agents.silence import next_expiry_ms, next_wake_ms
from agents.trials import conclude_trial, trial_ends_ms
from features.state import prune
from models.album import Album, ripe
from models.labels import mature, pseudonym
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

    def catch_up_all(
        self,
        customers: MutableMapping[str, Customer],
        ids: Sequence[str],
        until_ms: int,
        guides: GuideBook,
        effects: Effects,
    ) -> None:
        """Handle the wake-ups of all of them due by `until_ms`, customer by customer."""
        due: dict[str, Customer] = {}
        for customer_id in ids:
            customer = customers.get(customer_id)
            if customer is not None and customer.wake_ms <= until_ms:
                due[customer_id] = customer
        foresee(due.values(), self.question, self.desk.policy.min_order_days, guides)
        for customer_id in due:
            self.catch_up(customers, customer_id, until_ms, guides, effects)

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
            if until_ms - due_ms > effects.wake_late_ms_max:
                effects.wake_late_ms_max = until_ms - due_ms
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
        effects.woken += 1
        if customer.wake_ms <= customer.as_of_ms:
            self._make_up(customer_id, customer, guides, effects)
            return False
        due_ms = customer.as_of_ms = customer.wake_ms
        labelled = self._label(customer_id, customer, due_ms, customer.cancelled_ms, effects)
        if customer.trial is not None:
            labelled |= conclude_trial(customer, due_ms, self.question, effects.stats)
        activity, present_ms = customer.activity, customer.present_ms
        on_grid = self.question.on_grid(due_ms)
        expiring = due_ms >= present_ms + self.keeping.expiry_ms
        if on_grid or expiring:
            prune(activity, due_ms)
        if expiring and not activity.seen and trial_ends_ms(customer) is None:
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
            and (on_grid or not labelled or self._next_ms(customer, present_ms, due_ms - 1, None) == due_ms)
        ):
            snapshot = on_grid and self.question.asks(activity.last_order_ms, due_ms)
            effects.scorings["snapshot" if snapshot else "silence"] += 1
            self.desk.look(customer_id, customer, None, guides, effects, snapshot=snapshot)
        effects.touched.add(customer_id)
        self.set_next(customer, due_ms)
        return False

    def _make_up(self, customer_id: str, customer: Customer, guides: GuideBook, effects: Effects) -> None:
        """Handle an overdue wake-up: what it would have left behind, had it come before the records that were faster."""
        due_ms = customer.wake_ms
        self._label(customer_id, customer, due_ms, customer.cancelled_ms, effects)
        conclude_trial(customer, due_ms, self.question, effects.stats)
        if self.question.on_grid(due_ms):
            prune(customer.activity, due_ms)
            then = rewound(customer, due_ms, self.question.churn_on)
            if then.cancelled_ms is None and self.question.asks(then.activity.last_order_ms, due_ms):
                effects.scorings["snapshot"] += 1
                self.desk.snapshot(then, guides, effects)
                customer.pending = then.pending
                self._answer_latest(customer_id, customer, effects)
        effects.touched.add(customer_id)
        self.set_next(customer, due_ms)

    def _answer_latest(self, customer_id: str, customer: Customer, effects: Effects) -> None:
        """Let an explicit cancellation that came before the snapshot was made up answer it, as it would have answered at once."""
        *others, asked = list(customer.pending)
        for cancelled_ms in customer.activity.cancellations:
            if asked.taken_ms <= cancelled_ms < self.question.matures_ms(asked.taken_ms):
                customer.pending = Album.of([asked])
                self._label(customer_id, customer, cancelled_ms, cancelled_ms, effects)
                customer.pending = Album.of([*others, *customer.pending])
                return

    def cancel(self, customer_id: str, customer: Customer, effects: Effects) -> None:
        """Let the customer's explicit cancellation answer the snapshots that wait, but for those whose time was up before."""
        at_ms, pending = customer.as_of_ms, customer.pending
        overdue = [asked for asked in pending if self.question.matures_ms(asked.taken_ms) <= at_ms]
        customer.pending = pending.without(len(overdue))
        self._label(customer_id, customer, at_ms, customer.cancelled_ms, effects)
        customer.pending = Album.of([*overdue, *customer.pending])

    def _label(
        self, customer_id: str, customer: Customer, now_ms: int, cancelled_ms: int | None, effects: Effects
    ) -> bool:
        """Turn the customer's snapshots whose answer is known at `now_ms` into examples; returns whether there might be any."""
        pending = customer.pending
        if not ripe(pending, now_ms, cancelled_ms, self.question):
            return False
        activity = customer.activity
        happened = activity.orders_between if self.question.churn_on == "orders" else activity.activity_between
        name = pseudonym(customer_id)
        touches = customer.touches
        examples = mature(pending, now_ms, happened, cancelled_ms, self.question, name, touches)
        customer.pending = pending.without(len(examples))
        effects.examples.extend(examples)
        steering.book_labels(customer, examples, now_ms, effects)
        return True

    def set_next(self, customer: Customer, handled_ms: int) -> None:
        """Set the customer's next wake-up; `handled_ms` is up to when wake-ups have been handled, nearly always `as_of_ms`."""
        as_of_ms, present_ms, pending = customer.as_of_ms, customer.present_ms, customer.pending
        matures_ms = self.question.matures_ms(pending.first_ms) if pending.heads else None
        if customer.trial is not None:
            ends_ms = trial_ends_ms(customer)
            if ends_ms is not None and (matures_ms is None or ends_ms < matures_ms):
                matures_ms = ends_ms
        if handled_ms >= as_of_ms:
            customer.wake_ms = self._next_ms(customer, present_ms, as_of_ms, matures_ms)
            return
        wake_ms = self._next_ms(customer, present_ms, as_of_ms, None)
        if matures_ms is not None and matures_ms < wake_ms:
            wake_ms = matures_ms
        snapshot_ms = self.question.next_snapshot_ms(handled_ms)
        if snapshot_ms <= as_of_ms and snapshot_ms < wake_ms:
            wake_ms = snapshot_ms
        customer.wake_ms = max(wake_ms, handled_ms + 1)

    def _next_ms(self, customer: Customer, present_ms: int, after_ms: int, first_pending_matures_ms: int | None) -> int:
        expires_ms = present_ms + self.keeping.expiry_ms
        if after_ms >= expires_ms:
            expires_ms = next_expiry_ms(present_ms, after_ms, self.keeping.expiry_ms)
        return next_wake_ms(
            after_ms,
            present_ms if customer.cancelled_ms is None else None,
            first_pending_matures_ms,
            customer.episode.next_look_ms(after_ms),
            expires_ms,
            self.question,
        )
