"""One shard of a backtest: its customers, and the worker's pure pipeline over their lines.

What `agents.runner` does for a partition, without what only Kafka, Redis and a crash make necessary: nothing is encoded to be stored
or published, and there is no fence, no outbox and no metric. The rules that decide what is said are the runner's:

1. Lines are taken in event-time order, none at or after the limit that the learner sets (`agents.guides`). Within a step each customer's
   are taken one after the other, which changes nothing where none is late, and finds in the processor's caches what the last one wanted.
2. The clock follows the lines, the lateness behind; at the end of the log it runs to its last event.
3. Wake-ups due by the clock fire after the step's lines.
4. The learner is told all examples, with how far that is all of them (`agents.marks`).

A line that comes later than the lateness may tell of what the learner was told that it had heard all of. When that is learnt must
not depend on who was quicker: such a line is a step of its own, at the clock that the whole log had then (`Told.late_ms`).

Customers are kept as the pipeline has them, the longest here are written down (a sixth of the size) once they are too many.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from agents.effects import Effects
from agents.guides import NOTHING_YET_MS, GuideBook
from agents.marks import batches
from agents.meta import Meta
from agents.record import encode_customer
from churnwatch import compose
from churnwatch.backtest_frames import Rest, Told, Wants
from churnwatch.backtest_history import History
from churnwatch.backtest_route import Piece, lag_of
from churnwatch.offline import AlertHerald, Population
from churnwatch.settings import Settings
from features.timers import TimerQueue
from models.guide import Guide
from models.labels import ExampleBatch
from streams.codec import Arrival, Rejected
from streams.errors import ChurnwatchError
from streams.feed import NO_TIME_MS, event_ms

REST_CUSTOMERS: Final = 2_000
"""Customers told of in one `Rest`."""


class Stumbled(ChurnwatchError):
    """A record cannot be worked on, a fault of ours: the replay is to begin again, carefully, to leave it alone out."""


class Shard:
    """See the module's text. It takes `Piece`s as they come, and works them off in `work`, as far as the guides allow.

    Args:
        settings: as for `replay`, the clock and the learning already set.
        number, shards: which of how many.
        now_ms: wall clock, for what is refused as lying in the future.
        frozen: the guide to score with instead of those that come.
        wants: what is collected.
        careful: as for `Pipeline.step`. There is no store here to read customers from again, so a shard that is not careful raises
            `Stumbled` where a record cannot be worked on.
    """

    def __init__(
        self,
        settings: Settings,
        number: int,
        shards: int,
        now_ms: int,
        frozen: Guide | None,
        wants: Wants,
        *,
        careful: bool = False,
    ) -> None:
        self.guides = GuideBook(frozen or compose.first_guide(), compose.epoch_ms(settings))
        self._pipeline = compose.pipeline(settings, heralds=AlertHerald)
        self._limits = compose.step_limits(settings, shards)
        self._lateness_ms = settings.lateness_ms
        self._lag_ms = lag_of(settings.lateness_ms)
        self._alerts_topic = settings.topics().alerts
        self._careful = careful
        self._number, self._now_ms, self._learns, self._wants = number, now_ms, frozen is None, wants
        self._history = History(settings.churn_on) if wants.history else None
        self._customers = Population(self._limits.cache_max)
        self._timers = TimerQueue()
        self._meta = Meta()
        self._pieces: deque[Piece] = deque()
        self._items: list[Arrival | Rejected] = []
        self._next = 0
        self._late: deque[tuple[int, int]] = deque()
        self._watermark_ms = NO_TIME_MS
        """Of the whole log, at the end of the piece under work."""
        self._done = 0
        self._until_ms: int | None = None

    def take(self, piece: Piece) -> None:
        """Events to be worked off; whoever sends them bounds how many wait."""
        self._pieces.append(piece)

    def end(self, until_ms: int) -> None:
        """There are no more; the clock is to run to here."""
        self._until_ms = until_ms

    def work(self) -> Told | None:
        """Do one step; None where there is nothing to do until something comes."""
        self._open()
        meta, limit_ms, late_ms = self._meta, self.guides.limit_ms(), self._late_ms()
        if late_ms is None:
            items = self._batch(limit_ms)
        elif late_ms <= meta.clock_ms and (limit_ms is None or late_ms < limit_ms):
            items = [self._items[self._next]]
            self._next += 1
            self._late.popleft()
        else:
            items = []  # it waits until the clock is where the log was
        known_ms = max(meta.clock_ms, meta.taken_ms - self._lateness_ms)
        meta.taken_ms = max([meta.taken_ms, *map(event_ms, items)])
        target_ms = self._target_ms(limit_ms) if late_ms is None else self._within(late_ms, limit_ms)
        due = self._timers.get(target_ms, self._limits.wakes_max)
        reached_ms = target_ms
        if len(due) >= self._limits.wakes_max:
            # There may be more, some at the very instant of the last: those up to it fire now, the clock stops short of it.
            target_ms, reached_ms = due[-1][1], due[-1][1] - 1
        self._customers.fetch(items, due)
        woken = [customer_id for customer_id, _ in due]
        effects = self._step(by_customer(items), woken, known_ms, target_ms)
        moved = reached_ms > meta.clock_ms
        meta.clock_ms = max(meta.clock_ms, reached_ms)
        for customer_id in effects.touched:
            self._timers.update(customer_id, self._customers[customer_id].wake_ms)
        for customer_id in effects.deleted:
            self._timers.update(customer_id, None)
        if self._history is not None:
            self._history.take(items)
        self._customers.trim()
        late = late_ms if items else None
        return self._told(effects, late) if items or due or moved or self._done else None

    def _step(self, items: Iterable[Arrival | Rejected], woken: list[str], known_ms: int, target_ms: int) -> Effects:
        step, times = self._pipeline.step, (known_ms, target_ms, self.guides, self._now_ms)
        if self._careful:
            return step(self._customers, items, woken, *times, punctual=True)
        try:
            return step(self._customers, items, woken, *times, careful=False, punctual=True)
        except Exception as error:
            raise Stumbled(f"{type(error).__name__}: {error}") from error

    def _open(self) -> None:
        """Go on to the next piece where the last one is worked off."""
        while self._next == len(self._items) and self._pieces:
            piece = self._pieces.popleft()
            self._items, self._next, self._late = piece.items, 0, deque(piece.late)
            self._watermark_ms = piece.watermark_ms
            self._done += 1

    def _late_ms(self) -> int | None:
        """Where the clock must be before the next item, which is late; None where it is not."""
        if self._late and self._late[0][0] == self._next:
            return self._late[0][1]
        return None

    def _batch(self, limit_ms: int | None) -> list[Arrival | Rejected]:
        """The next items: up to the limit, and up to the next one that is late."""
        items, first = self._items, self._next
        end = self._late[0][0] if self._late else len(items)
        if limit_ms is not None:
            end = next((place for place in range(first, end) if event_ms(items[place]) >= limit_ms), end)
        self._next = end
        return items[first:end]

    def _target_ms(self, limit_ms: int | None) -> int:
        """How far the clock may go now, as `PartitionClock.target_ms` has it; at least where it is."""
        late_ms, taken_ms = self._late_ms(), self._meta.taken_ms
        if late_ms is not None:
            reached_ms = late_ms
        elif self._next < len(self._items):
            reached_ms = max(event_ms(self._items[self._next]), taken_ms) - self._lag_ms
        elif self._until_ms is not None and not self._pieces:
            reached_ms = self._until_ms
        else:
            reached_ms = max(self._watermark_ms, taken_ms) - self._lag_ms
        return self._within(reached_ms, limit_ms)

    def _within(self, reached_ms: int, limit_ms: int | None) -> int:
        # Until the learner has spoken it waits to hear where the log begins: a shard without customers may say so.
        if limit_ms is not None and not (limit_ms == NOTHING_YET_MS and self._meta.taken_ms == NO_TIME_MS):
            reached_ms = min(reached_ms, limit_ms - 1)
        return max(self._meta.clock_ms, reached_ms)

    def _told(self, effects: Effects, late_ms: int | None) -> Told:
        outcomes: Counter[str] = Counter()
        for (_, outcome), count in effects.outcomes.items():
            outcomes[outcome] += count
        done, self._done = self._done, 0
        return Told(
            self._batches(effects),
            [message.value or b"" for message in effects.outgoing if message.topic == self._alerts_topic],
            outcomes,
            effects.scorings,
            self._meta.clock_ms,
            done,
            late_ms,
        )

    def _batches(self, effects: Effects) -> list[ExampleBatch]:
        if self._learns:
            return batches(self._number, self._meta, effects, self._limits, idle=False)
        if not effects.examples:
            return []
        return [ExampleBatch(self._number, self._limits.partitions, 1, self._meta.clock_ms, examples=effects.examples)]

    @property
    def over(self) -> bool:
        """Whether everything is taken in, and the clock at the end."""
        all_in = self._next == len(self._items) and not self._pieces
        return all_in and self._until_ms is not None and self._meta.clock_ms >= self._until_ms

    def rest(self) -> Iterator[Rest]:
        """Give what is wanted of the state, and let it go."""
        wants, rest = self._wants, Rest()
        if wants.states or wants.snapshots:
            for customer_id, customer in self._customers.leave():
                if wants.states:
                    rest.states[customer_id] = encode_customer(customer)
                    rest.timers[customer_id] = customer.wake_ms
                if wants.snapshots and customer.pending:
                    rest.asked[customer_id] = list(customer.pending)
                if max(len(rest.states), len(rest.asked)) >= REST_CUSTOMERS:
                    yield rest
                    rest = Rest()
        yield rest
        if self._history is not None:
            yield from self._history.leave(REST_CUSTOMERS)


def by_customer(items: Iterable[Arrival | Rejected]) -> Iterable[Arrival | Rejected]:
    """Give each customer's items one after the other, in their order: what the first has fetched from memory, the next find near."""
    turns: dict[str, list[Arrival | Rejected]] = {}
    for item in items:
        turns.setdefault(item.event.customer_id if type(item) is Arrival else "", []).append(item)
    return chain.from_iterable(turns.values())
