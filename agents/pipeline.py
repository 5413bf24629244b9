"""The pure core: (state, records, clock, guide) -> (state, effects). The live worker, the backtest and the tests all run this.

What happens to one customer, in this order, is a function of the customer's own records, in the order in which the merge feed gives them,
and of the guides. The size of a chunk makes no difference; nor does the number of partitions or who else is in them, save to the order
of records of different topics where some topic is not in event-time order.

1. Before a record of event time t is applied, the customer's wake-ups due by t fire, each as of its own due time. Before one that is
   later than the allowed lateness, those due by the watermark do, which in smaller chunks would have been handled by then.
2. A record older than what is still kept is late; one whose id is known is a duplicate; neither changes the customer.
3. The record is applied. Where it comes late, the snapshots that it should have been in are mended. Then the customer is looked at: scored,
   and the episode brought up to date.
4. After the step's records, the wake-ups due by the partition's clock fire, earliest first.

No wake-up fires that is later than `hold_ms`, up to which silence is known to be silence: live, a source may be down. Records wait for
nothing: a customer whom they take further has an overdue wake-up (`agents.wakeups`).

A record that cannot be worked on, for whatever reason, is undone and dead-lettered: it must not stop those behind it.

No clock is read and no random number drawn here. Customers are changed in place: they belong to the caller, who drops them if storing fails.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, MutableMapping

import msgspec

from agents import steering
from agents.effects import Effects
from agents.guides import GuideBook
from agents.look import Desk
from agents.record import Attributes, Customer
from agents.rewind import mend
from agents.touches import note_treatment
from agents.undo import Undo
from agents.wakeups import Keeping, Wakeups
from alerts.outcomes import apply_outcome
from alerts.trials import note_outcome
from features import seen
from features.state import Activity, apply
from models.question import Question
from streams.codec import Arrival, RawRecord, Rejected, failed, late
from streams.deadletter import dead_letter
from streams.events import Cancellation, Outcome, Profile, Review, Ticket
from streams.feed import FAR_MS
from streams.time import day_of

log = logging.getLogger("churnwatch.pipeline")

UNCOUNTED = ("profiles", "outcomes")
"""Streams that no feature is computed from."""

PLAIN = ("logins", "orders")
"""Streams whose events lead to a look at the customer and to nothing else: nearly all events are of these."""


class Work(msgspec.Struct, frozen=True, gc=False):
    """What the records of one step are worked on with; the fields are arguments of `Pipeline.step`."""

    customers: MutableMapping[str, Customer]
    guides: GuideBook
    effects: Effects
    hold_ms: int
    now_ms: int


class Pipeline:
    """See the module's text. Holds no state of its own: `desk` looks at customers, the rest is configuration."""

    def __init__(self, desk: Desk, question: Question, keeping: Keeping) -> None:
        self._desk = desk
        self._question = question
        self._keeping = keeping
        self._wakeups = Wakeups(desk, question, keeping)

    def step(
        self,
        customers: MutableMapping[str, Customer],
        items: Iterable[Arrival | Rejected],
        due: Iterable[str],
        clock_ms: int,
        until_ms: int,
        guides: GuideBook,
        now_ms: int,
        hold_ms: int = FAR_MS,
        *,
        careful: bool = True,
        punctual: bool = False,
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
            hold_ms: up to when silence is known to be silence (`PartitionClock.hold_ms`).
            careful: be ready to undo every record, which takes writing its customer down before. Else the error of the first that
                cannot be worked on is raised, and the customers are lost: for those who can get them again, and then be careful.
            punctual: none of `items` is later than the lateness, given what comes before it in event-time order. Then the clock decides
                nothing until all are taken in, so only each customer's own records need be in that order.
        """
        effects = Effects()
        work = Work(customers, guides, effects, hold_ms, now_ms)
        take_in = self._take_in_or_undo if careful else self._take_in
        retention_ms = self._keeping.retention_ms
        lateness_ms = FAR_MS if punctual else self._keeping.lateness_ms  # far: the clock stands still
        for item in items:
            if isinstance(item, Rejected):
                self._reject(item, "dead_lettered", effects, now_ms)
                continue
            event = item.event
            customer_id, event_ms = event.customer_id, event.occurred_at
            customer = customers.get(customer_id)
            if item.record.value is None:
                # What is due by now goes by the profile as it was, wherever the step began.
                until_tombstone_ms = min(clock_ms, hold_ms)
                if customer is not None and customer.wake_ms <= until_tombstone_ms:
                    customer = self._wakeups.catch_up(customers, customer_id, until_tombstone_ms, guides, effects)
                _erase_profile(customer, item, effects)
                continue
            if event_ms - lateness_ms > clock_ms:
                clock_ms = event_ms - lateness_ms
            kept_from_ms = clock_ms - retention_ms
            # A profile holds until the next one, so none is too late.
            if event_ms < kept_from_ms and not isinstance(event, Profile):
                self._reject(late(item, kept_from_ms), "late", effects, now_ms)
                continue
            if customer is not None:
                due_ms = event_ms if event_ms > clock_ms else clock_ms
                if due_ms > hold_ms:
                    due_ms = hold_ms
                if customer.wake_ms <= due_ms:
                    customer = self._wakeups.catch_up(customers, customer_id, due_ms, guides, effects)
            take_in(item, customer, kept_from_ms, work)
        self._wakeups.catch_up_all(customers, [*due, *effects.touched], until_ms, guides, effects)
        return effects

    # -- records -------------------------------------------------------------------------------------------------------

    def _take_in_or_undo(self, item: Arrival, customer: Customer | None, kept_from_ms: int, work: Work) -> None:
        """Let the record take effect; one that cannot be worked on leaves no trace but its dead letter."""
        undo = Undo(work.customers, item.event.customer_id, work.effects)
        try:
            self._take_in(item, customer, kept_from_ms, work)
        except Exception as error:  # whatever it is: one record must not stop the others
            record = item.record
            log.exception("%s[%d] offset %d cannot be worked on", record.topic, record.partition, record.offset)
            undo.run(work.customers, work.effects)
            work.effects.failures += 1
            self._reject(failed(item, error), "dead_lettered", work.effects, work.now_ms)

    def _take_in(self, item: Arrival, customer: Customer | None, kept_from_ms: int, work: Work) -> None:
        """Let the record take effect, unless it is known."""
        customer_id, event_ms = item.event.customer_id, item.event.occurred_at
        effects, hold_ms = work.effects, work.hold_ms
        added = customer is None
        if customer is None:
            # Ahead of what is known, older records may follow: then their wake-ups are to be made up for.
            handled_ms = min(event_ms, max(hold_ms, kept_from_ms))
            customer = Customer(Activity.empty(), first_ms=event_ms, as_of_ms=handled_ms, wake_ms=event_ms + 1)
        counted = item.stream not in UNCOUNTED
        if not (apply(customer.activity, item.stream, item.event) if counted else _count(customer, item, kept_from_ms)):
            effects.outcomes[item.record.topic, "duplicate"] += 1
            return
        if added:
            effects.customers_added += 1
            work.customers[customer_id] = customer
            effects.deleted.discard(customer_id)
        effects.touched.add(customer_id)
        before_ms = customer.as_of_ms
        if event_ms > before_ms:
            customer.as_of_ms = event_ms
        elif customer.pending.heads and event_ms < customer.pending.latest_ms and counted:
            mend(customer, event_ms)
        if event_ms < customer.first_ms:
            customer.first_ms = event_ms
        ahead = customer.as_of_ms > hold_ms
        self._react(item, customer, work, ahead=ahead)
        if customer.wake_ms > before_ms:  # else it is overdue, and stays so
            self._wakeups.set_next(customer, max(before_ms, hold_ms) if ahead else customer.as_of_ms)
        effects.outcomes[item.record.topic, "applied"] += 1

    def _react(self, item: Arrival, customer: Customer, work: Work, *, ahead: bool) -> None:
        event, effects, reason = item.event, work.effects, None
        if item.stream in PLAIN:
            pass
        elif isinstance(event, Profile):
            _note_profile(customer, event)
            return
        elif isinstance(event, Outcome):
            self._note_outcome(event, item.record, customer, work)
            return
        elif isinstance(event, Cancellation):
            reason = event.reason
            customer.cancelled_ms = max(customer.cancelled_ms or 0, event.occurred_at)
            self._wakeups.cancel(event.customer_id, customer, effects)
        elif isinstance(event, Review | Ticket):
            steering.book_voice(customer, event, effects)
        if customer.cancelled_ms is not None and self._came_back(customer):
            customer.cancelled_ms = None
        effects.scorings["event"] += 1
        self._desk.look(
            event.customer_id, customer, item.record, work.guides, effects, cancellation=reason, ahead=ahead
        )

    def _note_outcome(self, outcome: Outcome, record: RawRecord, customer: Customer, work: Work) -> None:
        effects, codes = work.effects, self._desk.herald.codes
        effects.reports[outcome.status] += 1
        if customer.trial is not None:
            note_outcome(customer.trial, outcome, customer.episode, codes)
        note_treatment(customer, outcome)
        was_open, before_ms = customer.episode.open, customer.episode.outcome_ms
        transitions = apply_outcome(customer.episode, outcome, self._desk.policy)
        steering.book_outcome(customer, outcome, before_ms, codes, effects)
        effects.episodes_opened += customer.episode.open - was_open
        self._desk.announce(outcome.customer_id, customer, transitions, record, work.guides, effects)

    def _came_back(self, customer: Customer) -> bool:
        activity = customer.activity
        present_ms = activity.last_order_ms if self._question.churn_on == "orders" else activity.last_activity_ms
        return present_ms is not None and customer.cancelled_ms is not None and present_ms > customer.cancelled_ms

    def _reject(self, rejected: Rejected, outcome: str, effects: Effects, now_ms: int) -> None:
        topic = rejected.record.topic
        effects.outcomes[topic, outcome] += 1
        effects.dead_letters[topic, rejected.reason] += 1
        effects.outgoing.append(dead_letter(rejected, now_ms))


def _count(customer: Customer, item: Arrival, kept_from_ms: int) -> bool:
    """Note an event that no feature is computed from; False where it is known."""
    event, activity = item.event, customer.activity
    if event.occurred_at < kept_from_ms:
        # An old profile: its id would soon be forgotten, so its own time tells a repetition.
        return customer.attributes is None or customer.attributes.updated_ms < event.occurred_at
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
