"""Checks at the end of a run: against the log itself, and against an undisturbed run of the same log.

What is true of the log is known from how it was made, so a fault of the program that strikes both runs alike is seen too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from agents.meta import Meta, decode_meta
from agents.record import Customer, decode_customer
from features.timers import TimerQueue
from simulation.workload import Workload
from simulation.world import Run
from streams.time import DAY_MS, day_of

SEEN_DAYS = 150
"""Ids of events younger than this are surely still known."""

SILENT_DAYS = 40
"""Who has been silent for so long must have been warned about, with the frozen model."""

_COMPARED = ("offsets", "taken_ms", "mark_ms", "open_episodes", "customers", "heard_ms")
_encoder = msgspec.msgpack.Encoder()


@dataclass(frozen=True, slots=True)
class _End:
    """One partition at the end of a run."""

    meta: Meta
    states: dict[str, bytes]
    timers: dict[str, int]


def _ends(run: Run) -> list[_End]:
    return [
        _End(Meta() if data.meta is None else decode_meta(data.meta), data.states, dict(_all(data.timers)))
        for data in run.redis.partitions
    ]


def _all(timers: TimerQueue) -> list[tuple[str, int]]:
    return timers.get(1 << 61, 1 << 20)


def judge(run: Run, workload: Workload, undisturbed: Run | None) -> Iterator[str]:
    """Give what is wrong with a run that came to its end; `undisturbed` is one without faults, None to go by the log alone."""
    ends = _ends(run)
    yield from _against_the_log(run, workload, ends)
    yield from _timers(run, ends)
    if undisturbed is None:
        return
    if run.scene.shop.live or (run.watch.forgotten and not run.watch.episodes.is_strict):
        yield from _live(run, undisturbed)
    else:
        yield from _replay(run, undisturbed, workload)


# -- against the log ---------------------------------------------------------------------------------------------------


def _against_the_log(run: Run, workload: Workload, ends: list[_End]) -> Iterator[str]:
    customers = {name: decode_customer(value) for end in ends for name, value in end.states.items()}
    for name, (orders, amount) in workload.orders.items():
        customer = customers.get(name)
        if not workload.events[name]:
            continue
        if customer is None:
            yield f"loss: {name} is not known"
            continue
        activity = customer.activity
        if activity.orders != orders or abs(activity.amount - amount) > 0.01:
            yield f"counting: {name} has {activity.orders} orders of {activity.amount:.2f}, sent were {orders} of {amount:.2f}"
        if workload.days < SEEN_DAYS and not run.scene.shop.live and len(activity.seen) // 10 != workload.events[name]:
            yield f"counting: {name}: {len(activity.seen) // 10} events are known, sent were {workload.events[name]}"
    if strangers := sorted(customers.keys() - workload.orders.keys() - {"ann"}):
        yield f"counting: nobody has sent anything of {strangers}"
    if sum(end.meta.customers for end in ends) != len(customers):
        yield f"accounting: {sum(end.meta.customers for end in ends)} customers are counted, {len(customers)} are there"
    episodes = sum(customer.episode.open for customer in customers.values())
    if sum(end.meta.open_episodes for end in ends) != episodes:
        yield f"accounting: {sum(end.meta.open_episodes for end in ends)} open episodes are counted, {episodes} are there"
    for name, customer in customers.items():
        if run.watch.episodes.is_strict and customer.episode.open != run.watch.episodes.is_open(name):
            yield f"alerts: {name}'s episode is {'open' if customer.episode.open else 'closed'}, but the alerts say otherwise"
    yield from _letters(run, workload)
    if not run.scene.shop.learns and not run.scene.shop.live:
        yield from _silence(run, workload, customers)


def _letters(run: Run, workload: Workload) -> Iterator[str]:
    """Every refused record is a dead letter for its reason, and nothing else is."""
    wanted = {
        (record.topic, record.partition, record.offset): sent.fate
        for record, sent in zip(run.scene.records, workload.sent, strict=True)
        if sent.fate not in ("applied", "erased")
    }
    told = dict(run.watch.letters)
    for place, fate in wanted.items():
        if told.pop(place, None) != {fate}:
            yield f"dead letters: {place} should be {fate}, it is {run.watch.letters.get(place) or 'none'}"
    for place, reasons in told.items():
        yield f"dead letters: {place} is {reasons}, and nothing was wrong with it"


def _silence(run: Run, workload: Workload, customers: dict[str, Customer]) -> Iterator[str]:
    """Who fell silent long ago was warned about after the last order."""
    end_ms = run.scene.shop.until_ms or 0
    for name in sorted(workload.untouched):
        last_ms = workload.last_order_ms.get(name, end_ms)
        if end_ms - last_ms < SILENT_DAYS * DAY_MS or len(workload.order_days[name]) < 3 or name not in customers:
            continue
        if not run.watch.episodes.alerts.get(name):
            yield f"silence: {name} has been silent since day {day_of(last_ms)}, and there was no alert"


def _timers(run: Run, ends: list[_End]) -> Iterator[str]:
    """Every customer is woken when the state says, and none is overdue."""
    for partition, end in enumerate(ends):
        wakes = {name: decode_customer(value).wake_ms for name, value in end.states.items()}
        if wakes != end.timers:
            yield f"timers: partition {partition} has {end.timers}, the states say {wakes}"
        overdue = [name for name, due_ms in end.timers.items() if due_ms <= end.meta.clock_ms]
        if overdue:
            yield f"timers: partition {partition} has not woken {overdue}"
        if run.scene.shop.until_ms is not None and end.meta.clock_ms > run.scene.shop.until_ms:
            yield f"clock: partition {partition} has gone beyond the end"


# -- against the undisturbed -------------------------------------------------------------------------------------------


def _replay(run: Run, other: Run, workload: Workload) -> Iterator[str]:
    """All is the same, byte for byte."""
    for partition, (end, wanted) in enumerate(zip(_ends(run), _ends(other), strict=True)):
        for name in _COMPARED:
            is_now, should_be = getattr(end.meta, name), getattr(wanted.meta, name)
            if is_now != should_be:
                yield f"equality: {name} of partition {partition} is {is_now}, undisturbed {should_be}"
        different = [
            name for name in sorted(wanted.states | end.states) if end.states.get(name) != wanted.states.get(name)
        ]
        if different:
            yield f"equality: the states of {different} differ from the undisturbed ones"
        if end.timers != wanted.timers:
            yield f"equality: the timers of partition {partition} differ from the undisturbed ones"
    said, wanted_said = _alerts(run, workload), _alerts(other, workload)
    if said != wanted_said:
        yield f"alerts: {_gap(said, wanted_said)}"
    if run.watch.episodes.ids != other.watch.episodes.ids:
        yield "alerts: they first came in another order than undisturbed"
    scores, wanted_scores = ({name: list(said) for name, said in each.watch.scores.items()} for each in (run, other))
    if scores != wanted_scores:
        yield "scores: they are not, or first came not in the order, of the undisturbed run"
    ours, theirs = _examples(run), _examples(other)
    # A state that was lost finds its examples again; the learner knows them.
    if ours != theirs and not (run.watch.forgotten and ours.keys() == theirs.keys()):
        yield f"examples: {_gap(ours, theirs)}"
    if run.redis.learner.guides != other.redis.learner.guides:
        yield f"model: {_gap(run.redis.learner.guides, other.redis.learner.guides)}"


def _alerts(run: Run, workload: Workload) -> dict[str, bytes | None]:
    """What each alert says; of those whose profile was erased at some time only that it was said.

    A tombstone has no time of its own: which alerts of another topic's events still know the profile is chance.
    """
    erased = {sent.key for sent in workload.sent if sent.fate == "erased"}
    return {
        name: None if msgspec.json.decode(told)["customer_id"].encode() in erased else told
        for name, told in run.watch.episodes.contents.items()
    }


def _examples(run: Run) -> Counter[bytes]:
    """Every example with the number of batches that brought it."""
    return Counter(_encoder.encode(example) for batch in run.watch.batches.values() for example in batch.examples)


def _gap(ours: Mapping[Any, object], theirs: Mapping[Any, object]) -> str:
    missing, more = theirs.keys() - ours.keys(), ours.keys() - theirs.keys()
    other = sum(ours[name] != theirs[name] for name in ours.keys() & theirs.keys())
    return f"{len(missing)} are missing, {len(more)} are too many, {other} are different"


def _live(run: Run, other: Run) -> Iterator[str]:
    """What was known of each customer is the same at last; every snapshot has become at most one example."""
    ours, theirs = (
        {
            name: _encoder.encode(decode_customer(value).activity)
            for end in _ends(each)
            for name, value in end.states.items()
        }
        for each in (run, other)
    )
    different = [name for name in sorted(ours | theirs) if ours.get(name) != theirs.get(name)]
    if different:
        yield f"equality: what is known of {different} differs from the undisturbed run"
    taken = Counter(
        (example.customer, example.taken_ms) for batch in run.watch.batches.values() for example in batch.examples
    )
    if not run.watch.forgotten and (twice := [place for place, times in taken.items() if times > 1]):
        yield f"examples: {len(twice)} came twice"
