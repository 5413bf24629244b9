"""The pure core: (state, records, clock, guide) -> (state, effects). The live worker, the backtest and the tests all run this.

What happens to one customer, in this order, is a function of the customer's own records and of the guides alone. Neither the size of a
chunk nor the number of partitions nor who else is in the chunk makes a difference:

1. Before a record of event time t is applied, the customer's wake-ups due by t fire, each as of its own due time. Before one that is
   later than the allowed lateness, those due by the watermark do, so that at least the size of a chunk makes no difference to it.
2. A record older than what is still kept is late; one whose id is known is a duplicate; neither changes the customer.
3. The record is applied, and the customer looked at: scored, and the episode brought up to date.
4. After the step's records, the wake-ups due by the partition's clock fire, earliest first.

A wake-up (`_wake`) labels the snapshots whose horizon has passed, takes the week's snapshot, looks at the silent customer, and sets the
next wake-up, always later than itself. It never looks at the partition's clock, so one that comes late does what it would have done in time.
A customer who has been silent for long is deleted, but not before the last event id is old enough to be forgotten (an event that
comes again must find that it is known), and but for a profile, which the business alone may take back.

No clock is read and no random number drawn here. Customers are changed in place: they belong to the caller, who drops them if storing fails.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass

from agents.effects import Effects
from agents.guides import GuideBook
from agents.look import Desk
from agents.record import Attributes, Customer
from agents.silence import next_expiry_ms, next_wake_ms
from alerts.alert import SILENCE, Trigger
from alerts.outcomes import apply_outcome
from features import seen
from features.state import Activity, apply, prune
from models.labels import mature, pseudonym, ripe
from models.question import Question
from streams.codec import Arrival, Rejected, late
from streams.deadletter import dead_letter
from streams.events import Cancellation, Outcome, Profile
from streams.time import day_of


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept and for how long, in milliseconds: `retention_ms` of detail (older records are late), `expiry_ms` of a silent customer."""

    retention_ms: int
    lateness_ms: int
    expiry_ms: int


class Pipeline:
    """See the module's text. Holds no state of its own: `desk` looks at customers, the rest is configuration."""

    def __init__(self, desk: Desk, question: Question, keeping: Keeping) -> None:
        self._desk = desk
        self._question = question
        self._keeping = keeping

    def step(
        self,
        customers: MutableMapping[str, Customer],
        items: Iterable[Arrival | Rejected],
        due: Iterable[str],
        clock_ms: int,
        until_ms: int,
        guides: GuideBook,
        now_ms: int,
    ) -> Effects:
        """Work on one batch.

        Args:
            customers: state of every known customer in `items` and `due`; changed in place, new ones are added.
            items: records in event-time order.
            due: customers with a wake-up due by `until_ms`.
            clock_ms: the partition's clock or watermark before the step, whichever is further.
            until_ms: the partition's clock after it.
            guides: what scores.
            now_ms: wall clock, for the time of failure in dead letters only.
        """
        effects = Effects()
        for item in items:
            if isinstance(item, Rejected):
                self._reject(item, "dead_lettered", effects, now_ms)
                continue
            if item.record.value is None:
                _erase_profile(customers.get(item.event.customer_id), item, effects)
                continue
            event_ms = item.event.occurred_at
            clock_ms = max(clock_ms, event_ms - self._keeping.lateness_ms)
            kept_from_ms = clock_ms - self._keeping.retention_ms
            if event_ms >= kept_from_ms:
                self._take_in(customers, item, clock_ms, guides, effects)
            elif isinstance(item.event, Profile):
                self._take_in_old_profile(customers, item, item.event, clock_ms, guides, effects)
            else:
                self._reject(late(item, kept_from_ms), "late", effects, now_ms)
        for customer_id in [*due, *effects.touched]:
            self._catch_up(customers, customer_id, until_ms, guides, effects)
        return effects

    def _catch_up(
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
            effects.wake_late_ms_max = max(effects.wake_late_ms_max, until_ms - customer.wake_ms)
            if self._wake(customer_id, customer, guides, effects):
                del customers[customer_id]
                customer = None
        return customer

    # -- records -------------------------------------------------------------------------------------------------------

    def _take_in(
        self,
        customers: MutableMapping[str, Customer],
        item: Arrival,
        clock_ms: int,
        guides: GuideBook,
        effects: Effects,
    ) -> None:
        event = item.event
        topic, customer_id, event_ms = item.record.topic, event.customer_id, event.occurred_at
        # Up to the clock too, for a record that comes late: in smaller steps these wake-ups would have been handled by now.
        customer = self._catch_up(customers, customer_id, max(event_ms, clock_ms), guides, effects)
        if customer is None:
            customer = Customer(Activity.empty(), first_ms=event_ms, as_of_ms=event_ms)
        if not _count(customer.activity, item):
            effects.outcomes[topic, "duplicate"] += 1
            return
        self._enter(customers, customer, item, effects)
        customer.first_ms = min(customer.first_ms, event_ms)
        customer.as_of_ms = max(customer.as_of_ms, event_ms)
        self._react(customer_id, customer, item, guides, effects)
        self._set_wake(customer)

    def _take_in_old_profile(
        self,
        customers: MutableMapping[str, Customer],
        item: Arrival,
        profile: Profile,
        clock_ms: int,
        guides: GuideBook,
        effects: Effects,
    ) -> None:
        """A profile holds until the next one, so none is too late. Its id is too old to be kept; its own time tells a repetition."""
        customer = self._catch_up(customers, profile.customer_id, clock_ms, guides, effects)
        if customer is None:
            customer = Customer(Activity.empty(), first_ms=profile.occurred_at, as_of_ms=profile.occurred_at)
        elif customer.attributes is not None and customer.attributes.updated_ms >= profile.occurred_at:
            effects.outcomes[item.record.topic, "duplicate"] += 1
            return
        self._enter(customers, customer, item, effects)
        _note_profile(customer, profile)
        self._set_wake(customer)

    def _enter(
        self, customers: MutableMapping[str, Customer], customer: Customer, item: Arrival, effects: Effects
    ) -> None:
        """Note that the record is applied, and that its customer is known from now on."""
        customer_id = item.event.customer_id
        if customer_id not in customers:
            effects.customers_added += 1
            customers[customer_id] = customer
            effects.deleted.discard(customer_id)
        effects.outcomes[item.record.topic, "applied"] += 1
        effects.touched.add(customer_id)

    def _react(self, customer_id: str, customer: Customer, item: Arrival, guides: GuideBook, effects: Effects) -> None:
        event, record = item.event, item.record
        trigger = Trigger("event", record.topic, record.partition, record.offset)
        if isinstance(event, Profile):
            _note_profile(customer, event)
            return
        if isinstance(event, Outcome):
            effects.reports[event.status] += 1
            was_open = customer.episode.open
            transitions = apply_outcome(customer.episode, event, self._desk.policy)
            effects.episodes_opened += customer.episode.open - was_open
            self._desk.announce(customer_id, customer, transitions, trigger, record.timestamp_ms, guides, effects)
            return
        reason = None
        if isinstance(event, Cancellation):
            reason = event.reason
            customer.cancelled_ms = max(customer.cancelled_ms or 0, event.occurred_at)
            self._label(customer_id, customer, effects)
        if customer.cancelled_ms is not None and self._came_back(customer):
            customer.cancelled_ms = None
        effects.scorings["event"] += 1
        self._desk.look(customer_id, customer, trigger, record.timestamp_ms, guides, effects, cancellation=reason)

    def _came_back(self, customer: Customer) -> bool:
        activity = customer.activity
        present_ms = activity.last_order_ms if self._question.churn_on == "orders" else activity.last_activity_ms
        return present_ms is not None and customer.cancelled_ms is not None and present_ms > customer.cancelled_ms

    def _reject(self, rejected: Rejected, outcome: str, effects: Effects, now_ms: int) -> None:
        topic = rejected.record.topic
        effects.outcomes[topic, outcome] += 1
        effects.dead_letters[topic, rejected.reason] += 1
        effects.outgoing.append(dead_letter(rejected, now_ms))

    # -- wake-ups ------------------------------------------------------------------------------------------------------

    def _wake(self, customer_id: str, customer: Customer, guides: GuideBook, effects: Effects) -> bool:
        """Handle the customer's wake-up as of its due time; returns whether the customer has expired."""
        due_ms = customer.as_of_ms = customer.wake_ms
        effects.woken += 1
        self._label(customer_id, customer, effects)
        activity, present_ms = customer.activity, customer.present_ms
        on_grid = self._question.on_grid(due_ms)
        expiring = due_ms >= present_ms + self._keeping.expiry_ms
        if on_grid or expiring:
            prune(activity, due_ms)
        if expiring and not activity.seen:
            if customer.attributes is None or customer.attributes.says_nothing:
                effects.customers_added -= 1
                effects.touched.discard(customer_id)
                effects.deleted.add(customer_id)
                return True
            customer.reduce_to_profile()
        if customer.cancelled_ms is None and due_ms <= self._question.gone_ms(present_ms):
            snapshot = on_grid and self._question.asks(activity.last_order_ms, due_ms)
            effects.scorings["snapshot" if snapshot else "silence"] += 1
            self._desk.look(customer_id, customer, SILENCE, None, guides, effects, snapshot=snapshot)
        effects.touched.add(customer_id)
        self._set_wake(customer)
        return False

    def _label(self, customer_id: str, customer: Customer, effects: Effects) -> None:
        pending, now_ms, cancelled_ms = customer.pending, customer.as_of_ms, customer.cancelled_ms
        if not ripe(pending, now_ms, cancelled_ms, self._question):
            return
        activity = customer.activity
        happened = activity.orders_between if self._question.churn_on == "orders" else activity.activity_between
        name = pseudonym(customer_id)
        examples, customer.pending = mature(pending, now_ms, happened, cancelled_ms, self._question, name)
        effects.examples.extend(examples)

    def _set_wake(self, customer: Customer) -> None:
        after_ms, present_ms, pending = customer.as_of_ms, customer.present_ms, customer.pending
        matures_ms = self._question.matures_ms(pending[0].taken_ms) if pending else None
        customer.wake_ms = next_wake_ms(
            after_ms=after_ms,
            silent_since_ms=present_ms if customer.cancelled_ms is None else None,
            first_pending_matures_ms=matures_ms,
            episode_until_ms=customer.episode.next_look_ms(after_ms),
            expires_ms=next_expiry_ms(present_ms, after_ms, self._keeping.expiry_ms),
            question=self._question,
        )


def _count(activity: Activity, item: Arrival) -> bool:
    """Apply the event; False where its id is known."""
    event = item.event
    if item.stream not in ("profiles", "outcomes"):
        return apply(activity, item.stream, event)
    grown = seen.remember(activity.seen, event.event_id, day_of(event.occurred_at))
    activity.seen = activity.seen if grown is None else grown
    return grown is not None


def _erase_profile(customer: Customer | None, item: Arrival, effects: Effects) -> None:
    """A tombstone has no time of its own and makes no customer known: it takes the profile away where there is one."""
    effects.outcomes[item.record.topic, "applied"] += 1
    if customer is not None and customer.attributes is not None:
        customer.attributes = None
        effects.touched.add(item.event.customer_id)


def _note_profile(customer: Customer, event: Profile) -> None:
    """The latest profile by event time counts."""
    known = customer.attributes
    if known is not None and known.updated_ms > event.occurred_at:
        return
    customer.attributes = Attributes(
        updated_ms=event.occurred_at,
        segment=event.segment,
        owner=event.owner,
        plan=event.plan,
        annual_value=event.annual_value,
        do_not_contact=bool(event.do_not_contact),
        signed_up_ms=event.signed_up_at,
    )
