"""What a learner remembers, and how it is written down: data only, with a schema version."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from models.block import Waiting
from models.envelope import Envelope
from models.examiner import Exam
from models.labels import ExampleBatch
from models.peers import Peers
from models.stand_ins import StandIns
from streams.bounds import ClockMs, Count, Tally
from streams.time import day_of

LEARNER_SCHEMA: Final = 2


NO_TIME_MS: Final = -(1 << 62)


class Source(msgspec.Struct, array_like=True):
    """What is known of one source.

    Attributes:
        seq: number of its last batch.
        mark_ms: all of its examples that matured up to here have come.
        idle: whether it need not be waited for.
        sent_ms: latest maturity of an example of it.
        found_ms, again_ms: mark and latest maturity of its earlier lives: what matured up to the one it only finds again,
            up to the other it may.
        claim: who sent the last batch.
    """

    seq: Tally
    mark_ms: ClockMs
    idle: bool
    sent_ms: ClockMs = NO_TIME_MS
    found_ms: ClockMs = NO_TIME_MS
    again_ms: ClockMs = NO_TIME_MS
    claim: Count = 0

    def begin_again(self, seq: int) -> None:
        """Its state was lost, all of it or its latest commits, and is built again, with what it had told before, from `seq` on."""
        self.seq = seq - 1
        self.look_again()

    def look_again(self) -> None:
        """What was told before may come again."""
        self.found_ms, self.again_ms = self.mark_ms, max(self.mark_ms, self.sent_ms)


class Counters(msgspec.Struct, array_like=True):
    """What has happened to batches and examples since the learner's first day.

    Attributes:
        examples: labels learnt.
        churned: those of them that were 1.
        duplicates: batches dropped for having been seen.
        gaps: sequence numbers that never came.
        late: examples that came after their place in the order had been learnt; they are learnt all the same.
        early: examples learnt before their place, for too many were waiting.
        damaged: examples, and batches' statistics, that made no sense and were left out.
        former: batches of an earlier life of their source, which came after a later one was known.
        found_again: examples that a source had told before, in an earlier life or as another owner.
        treated: examples left out, for a treatment had reached them.
        repeated: how often others were learnt once more in their place; counted among `examples` too.
    """

    examples: Tally = 0
    churned: Tally = 0
    duplicates: Tally = 0
    gaps: Tally = 0
    late: Tally = 0
    early: Tally = 0
    damaged: Tally = 0
    former: Tally = 0
    found_again: Tally = 0
    treated: Tally = 0
    repeated: Tally = 0


class LearnerState(msgspec.Struct, array_like=True):
    """A learner's memory but for the model and the extra, which know how to write themselves.

    Attributes:
        partitions: how many sources there are; 0 before the first batch.
        sources: what is known of each.
        waiting: heap of the examples that wait for the other sources' marks.
        first_ms: earliest instant that anything was heard of.
        learnt_until_ms: all boundaries up to here are done.
        version: of the newest guide.
        learnt_since_cut: whether an example was learnt since.
        last_extra: what the extra said for it, encoded.
        counters: what has happened.
        exam: what was said, and how it turned out.
        lives: source to its present life; batches of earlier ones are dropped.
        stand_ins: who counts in place of the treated.
        peers: what is usual in each segment.
    """

    partitions: Tally = 0
    sources: dict[Count, Source] = {}
    waiting: list[Waiting] = []
    first_ms: ClockMs | None = None
    learnt_until_ms: ClockMs | None = None
    version: Tally = 0
    learnt_since_cut: bool = False
    last_extra: bytes = b""
    counters: Counters = msgspec.field(default_factory=Counters)
    exam: Exam = msgspec.field(default_factory=Exam)
    lives: dict[Count, Count] = {}
    stand_ins: StandIns = msgspec.field(default_factory=StandIns)
    peers: Peers = msgspec.field(default_factory=Peers)

    def fits(self, features: int) -> bool:
        """Tell whether what is kept is of so many features."""
        return all(len(example[-1]) == 4 * features for example in self.waiting) and self.peers.fit(features)

    def take(self, batch: ExampleBatch) -> ExampleBatch | None:
        """Note that a batch has come; return what is new in it, None where nothing is."""
        life, source = self.lives.get(batch.source, 0), self.sources.get(batch.source)
        # A rollback may bring an earlier life back: then its next owner has claimed it later than the other was ever claimed.
        claim = 0 if source is None else source.claim
        if batch.life < life and (source is None or batch.claim <= claim):
            self.counters.former += 1
            return None
        if source is None:
            source = self.sources[batch.source] = Source(batch.seq - 1, batch.mark_ms, batch.idle)
        elif batch.claim < claim and batch.seq <= source.seq:
            return self._said_before(source, batch)
        elif batch.claim < claim or batch.life != life or (batch.claim > claim and batch.seq <= source.seq):
            # A later owner goes on from the last number that is stored. One that repeats a number has not found what was told,
            # and an earlier one that goes on is the owner again: the store has gone back to when it was.
            source.begin_again(batch.seq)
        elif batch.seq <= source.seq:
            # An owner's batches first appear in the order of seq, so whatever is not above the last is a repetition.
            self.counters.duplicates += 1
            return None
        self.lives[batch.source] = batch.life
        self.counters.gaps += batch.seq - source.seq - 1
        source.seq, source.claim, source.idle = batch.seq, batch.claim, batch.idle
        source.mark_ms = max(source.mark_ms, batch.mark_ms)
        self.partitions = batch.partitions
        fresh = self._unfound(batch, source.found_ms, source.again_ms)
        source.sent_ms = max([source.sent_ms, *(example.matured_ms for example in fresh.examples)])
        return fresh

    def _said_before(self, source: Source, batch: ExampleBatch) -> ExampleBatch | None:
        """An earlier owner's number that a later one has used: a repetition, or else its examples tell. Days were counted."""
        again_ms = max(source.mark_ms, source.sent_ms)
        fresh = self._unfound(msgspec.structs.replace(batch, stats={}, inputs={}), source.mark_ms, again_ms)
        source.mark_ms = max(source.mark_ms, batch.mark_ms)
        if not fresh.examples:
            self.counters.duplicates += 1
            return None
        source.sent_ms = max([source.sent_ms, *(example.matured_ms for example in fresh.examples)])
        source.look_again()  # whoever told the number later may tell them yet
        return fresh

    def _unfound(self, batch: ExampleBatch, found_ms: int, again_ms: int) -> ExampleBatch:
        """The batch without what its source told in an earlier life. Exact for examples; of counts, to the day."""
        if found_ms == NO_TIME_MS or not (batch.examples or batch.stats or batch.inputs):
            return batch
        examples = [example for example in batch.examples if example.matured_ms > found_ms]
        if any(example.matured_ms <= again_ms for example in examples):
            # Nothing that matured after a mark has been learnt: what was told before waits here.
            waiting = {(taken_ms, customer) for _, taken_ms, customer, *_ in self.waiting}
            examples = [example for example in examples if (example.taken_ms, example.customer) not in waiting]
        self.counters.found_again += len(batch.examples) - len(examples)
        since = day_of(max(found_ms, 0))
        stats = {day: counts for day, counts in batch.stats.items() if day > since}
        inputs = {day: counts for day, counts in batch.inputs.items() if day > since}
        return msgspec.structs.replace(batch, examples=examples, stats=stats, inputs=inputs)


class Saved(msgspec.Struct, array_like=True, frozen=True):
    """Everything: the model as `snapshot.dump_model` writes it, the extra's own plain data, and the rest."""

    model: bytes
    extra: Any
    state: LearnerState


_envelope = Envelope(Saved, LEARNER_SCHEMA, "the learner's state", "delete it to learn anew", oldest=LEARNER_SCHEMA)


def encode_saved(saved: Saved) -> bytes:
    """Return its bytes: a few hundred kB, and 350 bytes per waiting example."""
    return _envelope.encode(saved)


def decode_saved(value: bytes) -> Saved:
    """Return what `encode_saved` wrote.

    Raises:
        NewerSchema: a newer Churnwatch wrote it.
        Corrupt: it is not a learner's state.
    """
    return _envelope.decode(value)
