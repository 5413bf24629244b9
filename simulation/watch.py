"""Checks that hold at every instant. They see what Redis stores and what Kafka takes in, and know nothing of how faults are made.

| promise | checked here |
| --- | --- |
| one writer | no commit succeeds after a later opener's; the state of one life never goes back |
| stored, then said | no message reaches Kafka that was not in the stored outbox; none leaves the outbox that Kafka does not hold |
| offsets | the group's never pass what is stored *and* said, and do not go back |
| alerts | one id has one content; per customer opened, escalated, then resolved or churned, one episode at a time; resolved once more on the return of the lost |
| examples | one number has one content; none comes behind the mark that promised that it had come |
| lost state | an alert of which the group knows that it was said is not said again |
| accounting | every record of a step has one outcome; a dead letter carries its record to the byte |
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agents.effects import Effects
from agents.meta import Meta, decode_meta
from agents.outbox import decode_outgoing, encode_outgoing
from features.store import Commit
from models.labels import ExampleBatch, decode_batch
from models.store import LearnerCommit, decode_head
from simulation.broker import Place
from simulation.episodes import Episodes
from streams.codec import RawRecord
from streams.deadletter import CONNECT, REASON
from streams.feed import Batch
from streams.outgoing import Outgoing
from streams.time import DAY_MS, parse_instant
from streams.topics import DLQ_SUFFIX, Topics

TOPICS = Topics()


@dataclass(slots=True)
class _Partition:
    """What is known of one partition."""

    writer: int = 0
    opened: int = 0
    """The latest writer that has opened it."""

    meta: Meta = field(default_factory=Meta)
    stored: set[bytes] = field(default_factory=set)
    said: set[bytes] = field(default_factory=set)
    unsaid: dict[bytes, tuple[Mapping[str, int], Mapping[str, int]]] = field(default_factory=dict)
    """Entries that Kafka does not hold yet, with the offsets before and after the step that they follow from."""

    decided: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Alert to life and number of the commit that first stored it, and to the instant of the silence that set it off, 0 for an event."""

    settled: set[str] = field(default_factory=set)
    """Alerts of which the group knew that they were said when Redis lost them."""

    seq: tuple[int, int, int] = (0, 0, 0)
    """Life, claim and number of the last example batch."""

    passed: int = 0
    """Number of the last one from an owner of before, who goes on where a loss has restored its fence: the next owner goes on from it."""

    mark_ms: int = -(1 << 62)


class Watch:
    """See the module's text. `over` is set with the first violation.

    `logs` is what the topics hold; `exact`: a state that was lost is found again to the byte, alerts included (a frozen model in replay).
    """

    def __init__(self, partitions: int, logs: Mapping[Place, Sequence[RawRecord]], *, exact: bool) -> None:
        self._exact = exact
        self.noted: Callable[[int], tuple[int, int, int]] = lambda _: (0, 0, 0)
        """Gives life, number and clock of the latest commit of a partition that the group knows of."""

        self.violations: list[str] = []
        self.over = asyncio.Event()
        self.episodes = Episodes(self.broken)
        self.letters: dict[tuple[str, int, int], set[str]] = defaultdict(set)
        self.batches: dict[tuple[int, int, int, int], ExampleBatch] = {}
        self.scores: dict[str, dict[bytes, None]] = defaultdict(dict)
        self.forgotten = 0
        """How often Redis has lost something."""

        self._partitions = [_Partition() for _ in range(partitions)]
        self._logs = logs
        self._batch_bytes: dict[tuple[int, int, int, int], bytes] = {}
        self._group: dict[Place, int] = {}
        self._learner = 0
        self._learnt = (0, -(1 << 62))

    def broken(self, what: str) -> None:
        """A promise is broken."""
        self.violations.append(what)
        self.over.set()

    # -- Redis ---------------------------------------------------------------------------------------------------------

    def opened(self, partition: int, writer: int) -> None:
        """Opening changes nothing; the first commit does."""
        known = self._partitions[partition]
        known.opened = max(known.opened, writer)

    def stored(
        self, partition: int, writer: int, before: bytes | None, commit: Commit, outbox: Sequence[bytes]
    ) -> None:
        """A commit was applied."""
        known = self._partitions[partition]
        if writer < known.writer:
            self.broken(f"one writer: partition {partition}: writer {writer} has written after writer {known.writer}")
        known.writer = max(writer, known.writer)
        was = Meta() if before is None else decode_meta(before)
        now = decode_meta(commit.meta)
        self._check_forward(partition, was, now, first=before is None)
        for entry in outbox[: commit.trim]:
            if entry not in known.said:
                self.broken(
                    f"outbox: partition {partition}: a message is dropped that Kafka does not hold: {entry!r:.80}"
                )
        if commit.trim > len(outbox):
            self.broken(
                f"outbox: partition {partition}: {commit.trim} entries are dropped where there are {len(outbox)}"
            )
        for entry in commit.append:
            known.stored.add(entry)
            if entry not in known.said:
                known.unsaid[entry] = (was.offsets, now.offsets)
            self._decide(known, entry, (now.life, now.commits), lately=writer == known.opened)
        known.meta = now

    def _decide(self, known: _Partition, entry: bytes, at: tuple[int, int], *, lately: bool) -> None:
        message = decode_outgoing(entry)
        if message.topic == TOPICS.alerts:
            told = json.loads(message.value or b"")
            name = told["alert_id"]
            # One of before for whom a rollback has restored the very fence that it holds cannot know what was said since.
            # And with another model, or clock, the same episode may begin at another time.
            if name in known.settled and lately and self._exact:
                self.broken(f"lost state: alert {name} was said, and is to be said again")
            silent_ms = parse_instant(told["raised_at"]) if told["trigger"]["kind"] == "silence" else 0
            known.decided.setdefault(name, (*at, silent_ms))

    def _check_forward(self, partition: int, was: Meta, now: Meta, *, first: bool) -> None:
        if first or (self.forgotten and was.life != now.life):
            return
        back = [topic for topic, offset in was.offsets.items() if now.offsets.get(topic, 0) < offset]
        figures = [
            name
            for name in ("commits", "clock_ms", "taken_ms", "mark_ms", "seq")
            if getattr(now, name) < getattr(was, name)
        ]
        if back or figures or was.commits == now.commits:
            self.broken(f"state: partition {partition} goes back: {[*back, *figures] or 'commits do not rise'}")
        if was.life != now.life and was.life:
            self.broken(f"state: partition {partition} begins a new life though nothing was lost")

    def learnt(self, writer: int, before: bytes | None, commit: LearnerCommit) -> None:
        """The learner's commit was applied."""
        if writer < self._learner:
            self.broken(f"one writer: the learner {writer} has written after the learner {self._learner}")
        self._learner = max(writer, self._learner)
        if before is not None:
            was = decode_head(before)
            if commit.next_offset < was.next_offset and not self.forgotten:
                self.broken(f"state: the learner goes back from {was.next_offset} to {commit.next_offset}")
        self._learnt = (commit.next_offset, max(self._learnt[1], commit.learnt_until_ms or self._learnt[1]))

    def forgot(self) -> None:
        """Redis has lost what it held since some instant, or all of it."""
        self.forgotten += 1
        self.episodes.is_strict = self._exact
        for number, known in enumerate(self._partitions):
            noted = self.noted(number)
            known.settled.update(
                name
                for name, (*at, silent_ms) in known.decided.items()
                if tuple(at) <= noted[:2] and silent_ms <= noted[2]
            )
            # What the group had not heard of is to be decided again, in a life of which a later note may tell nothing yet.
            known.decided = {name: at for name, at in known.decided.items() if name in known.settled}
            known.unsaid.clear()
            known.seq, known.mark_ms = (0, 0, 0), -(1 << 62)
            known.writer = 0
        self._learner = 0

    # -- Kafka ---------------------------------------------------------------------------------------------------------

    def committed(self, place: Place, offset: int, note: str) -> None:  # noqa: ARG002 - the note is the runners' own
        """The group's offset has moved."""
        topic, partition = place
        if offset < self._group.get(place, 0) and not self.forgotten:
            self.broken(f"offsets: the group goes back from {self._group[place]} to {offset} on {topic}[{partition}]")
        self._group[place] = offset
        if self.forgotten:
            return
        if topic == TOPICS.examples:
            if offset > self._learnt[0]:
                self.broken(f"offsets: the group has {offset} of {topic}, the learner {self._learnt[0]}")
            return
        known = self._partitions[partition]
        if offset > known.meta.offsets.get(topic, 0):
            self.broken(
                f"offsets: the group has {offset} of {topic}[{partition}], the state {known.meta.offsets.get(topic, 0)}"
            )
        for before, after in known.unsaid.values():
            if before.get(topic, 0) < min(offset, after.get(topic, 0)):
                self.broken(
                    f"offsets: the group has {offset} of {topic}[{partition}] before all is said that follows from it"
                )

    def said(self, partition: int, message: Outgoing) -> None:
        """A message has come to its topic."""
        known, entry = self._partitions[partition], encode_outgoing(message)
        if entry not in known.stored:
            self.broken(
                f"stored, then said: {message.topic} has a message that was never stored: {message.value!r:.80}"
            )
        known.said.add(entry)
        known.unsaid.pop(entry, None)
        if message.topic == TOPICS.alerts:
            self.episodes.alert(message.key, message.value)
        elif message.topic == TOPICS.scores:
            self.scores[(message.key or b"").decode()].setdefault(message.value or b"")
        elif message.topic == TOPICS.examples:
            self._batch(partition, known, message.value or b"")
        elif message.topic.endswith(DLQ_SUFFIX):
            self._letter(message)
        else:
            self.broken(f"a message to {message.topic}")

    def _batch(self, partition: int, known: _Partition, value: bytes) -> None:
        batch = decode_batch(value)
        number = (batch.source, batch.life, batch.claim, batch.seq)
        if batch.source != partition:
            self.broken(f"examples: partition {partition} sends as {batch.source}")
        if self._batch_bytes.setdefault(number, value) != value:
            self.broken(f"examples: batch {number} has two contents")
        if number in self.batches:
            return
        self.batches[number] = batch
        if (batch.life, batch.claim, batch.seq) < known.seq:
            known.passed = batch.seq if self.forgotten else 0
            return
        # A state that has lost its last commits numbers anew under its next owner, and is told by the claim.
        again = bool(self.forgotten) and batch.claim > known.seq[1] and batch.seq <= known.seq[2]
        next_ones = {known.seq[2] + 1, known.passed + 1}
        if known.seq[0] == batch.life and known.seq[2] and batch.seq not in next_ones and not again:
            self.broken(f"examples: batch {number} comes after batch {known.seq}")
        # What hung when Redis lost something may still send what it had; the next owner goes back behind it.
        if known.seq[0] != batch.life or (self.forgotten and batch.claim > known.seq[1]):
            known.mark_ms = -(1 << 62)
        # A cancellation answers as of its own time, which may lie before what was promised when it came.
        asked = [example for example in batch.examples if (example.matured_ms - example.taken_ms) % DAY_MS == 0]
        if any(example.matured_ms <= known.mark_ms for example in asked):
            self.broken(f"examples: batch {number} brings an example from before the mark {known.mark_ms}")
        known.seq = (batch.life, batch.claim, batch.seq)
        known.mark_ms = max(known.mark_ms, batch.mark_ms)

    def _letter(self, message: Outgoing) -> None:
        told = {name: value.decode() for name, value in message.headers}
        topic, partition = told[f"{CONNECT}topic"], int(told[f"{CONNECT}partition"])
        offset = int(told[f"{CONNECT}offset"])
        record = self._logs[topic, partition][offset]
        if (record.key, record.value) != (message.key, message.value):
            self.broken(f"dead letters: {topic}[{partition}] offset {offset} was changed")
        self.letters[topic, partition, offset].add(told[REASON])

    # -- runners -------------------------------------------------------------------------------------------------------

    def stepped(self, partition: int, batch: Batch, effects: Effects, events_max: int) -> None:
        """A step's transaction has succeeded, and its runner knows."""
        counted = sum(effects.outcomes.values())
        if counted != len(batch.items):
            self.broken(f"accounting: partition {partition} has read {len(batch.items)} records and counted {counted}")
        if len(batch.items) > events_max:
            self.broken(f"bounds: a step of {len(batch.items)} records, {events_max} are allowed")
        if effects.failures:
            self.broken(f"accounting: {effects.failures} records or wake-ups could not be worked on")
