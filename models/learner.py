"""The one learner: examples of all input partitions in, guides out.

    1. `absorb` takes the batches of all sources as they come. Duplicates (a source's `seq` seen before) and what a
       source that was built anew finds again are dropped. Examples wait in a heap; statistics go to the injected `Extra`.
    2. `advance` finds the frontier: the least mark over the sources that are not idle, once all have spoken.
       Nothing that matured before it can still come.
    3. Examples up to the frontier are learnt in the order (matured, taken, customer): first tested on what was
       said at the time (`Examiner`), then trained. Those that a treatment has reached do neither: others stand in (`stand_ins`).
    4. A guide is cut: in replay at every boundary of a fixed grid up to the frontier, live at the frontier itself;
       none where nothing has changed.

Since only the frontier decides, the guides do not depend on how the batches of different sources interleave, nor on
how a source divides what it says into batches: live and backtest learn the same, bit for bit.

Bounds: at most `waiting_max` examples wait, the oldest are learnt early and counted; sources are as many as partitions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heapify, heappush
from typing import Final

import msgspec
import numpy as np

from models.block import Block, Waiting, block, in_order, makes_sense
from models.boundaries import boundaries
from models.examiner import Examiner
from models.extra import Extra, NoExtra
from models.guide import Guide, Scale
from models.labels import Example, ExampleBatch
from models.learner_state import NO_TIME_MS, Counters, LearnerState, Saved, decode_saved, encode_saved
from models.pipeline import ChurnModel
from models.snapshot import dump_model, load_model
from models.standing import Standing
from streams.errors import Corrupt
from streams.time import DAY_MS

BLOCK_MAX: Final = 4_096
"""Examples learnt in one go; bounds the memory that a block takes, and changes nothing in what comes of it."""

KINDS_SHARE: Final = 20
"""One label in so many of those wanted must be of the rarer kind: who has seen nobody leave knows nothing of leaving."""

_ordered = msgspec.msgpack.Encoder(order="deterministic")


class Learner:
    """See the module's text. Pure: reads no clock, draws no random number, does no I/O.

    Args:
        names: the features, in the order of the vectors.
        scales: how each enters the model.
        extra: statistics that travel with the guides.
        grid_ms: in replay, the distance of the boundaries (multiples, from the epoch on); None for live.
        min_labels: labels learnt before a guide is `ready`, a twentieth of them at least of either kind.
        waiting_max: most examples waiting.
        examiner: who tests the examples before they are learnt; for the same features and grid.

    >>> from models.labels import pack_vector
    >>> day = 86_400_000
    >>> learner = Learner(["silence_days"], ["log"], grid_ms=day, min_labels=1)
    >>> left = Example("00ff", 0, 60 * day, 1, 0.7, 0, "new", pack_vector([12.0]))
    >>> stayed = Example("00fe", 0, 60 * day, 0, 0.7, 0, "new", pack_vector([2.0]))
    >>> learner.absorb(ExampleBatch(source=0, partitions=2, seq=1, mark_ms=61 * day, examples=[left, stayed]))
    >>> learner.advance()  # partition 1 has not spoken: it may know of earlier ones
    []
    >>> learner.absorb(ExampleBatch(source=1, partitions=2, seq=1, mark_ms=62 * day))
    >>> [(guide.version, guide.learnt_until_ms // day, guide.ready) for guide in learner.advance()]
    [(1, 60, True)]
    """

    def __init__(
        self,
        names: Sequence[str],
        scales: Sequence[Scale],
        *,
        extra: Extra | None = None,
        grid_ms: int | None = None,
        min_labels: int = 500,
        waiting_max: int = 50_000,
        examiner: Examiner | None = None,
    ) -> None:
        if grid_ms is not None and grid_ms < 1:
            raise ValueError("grid_ms must be 1 or more, or None")
        self._model = ChurnModel(names, scales)
        self._extra: Extra = NoExtra() if extra is None else extra
        self._grid_ms = grid_ms
        self._min_labels = min_labels
        self._waiting_max = waiting_max
        self._examiner = Examiner(names, scales, grid_ms=grid_ms) if examiner is None else examiner
        self._state = LearnerState(exam=self._examiner.exam)

    # -- in ------------------------------------------------------------------------------------------------------------

    def absorb(self, batch: ExampleBatch) -> None:
        """Take a batch in; a duplicate changes nothing. What is damaged in it is left out and counted."""
        state = self._state
        fresh = state.take(batch)
        if fresh is None:
            return
        if fresh.stats or fresh.inputs:
            self._count(fresh)
        for example in fresh.examples:
            self._wait(example)
        excess = len(state.waiting) - self._waiting_max
        if excess > 0:
            state.counters.early += excess
            state.waiting.sort()  # what is sorted is a heap
            early, state.waiting = state.waiting[:excess], state.waiting[excess:]
            self._learn(early)

    def _count(self, batch: ExampleBatch) -> None:
        try:
            self._extra.absorb(batch.source, batch.stats)
            self._examiner.count(batch.inputs)
        except Corrupt:
            self._state.counters.damaged += 1
        else:
            self._heard_of(max(min([*batch.stats, *batch.inputs]), 0) * DAY_MS)

    def _wait(self, example: Example) -> None:
        counters, learnt_until_ms = self._state.counters, self._state.learnt_until_ms
        if not makes_sense(example, len(self._model.names)):
            counters.damaged += 1
            return
        if learnt_until_ms is not None and example.matured_ms <= learnt_until_ms:
            counters.late += 1
        self._heard_of(example.matured_ms)
        heappush(self._state.waiting, in_order(example))

    def _heard_of(self, at_ms: int) -> None:
        first_ms = self._state.first_ms
        self._state.first_ms = at_ms if first_ms is None else min(first_ms, at_ms)

    def expect(self, lives: Mapping[int, int]) -> None:
        """Before the first batch: the life from which on each source tells everything. What earlier ones have left is passed over."""
        self._state.lives = dict(lives)

    # -- out -----------------------------------------------------------------------------------------------------------

    def frontier_ms(self) -> int | None:
        """Return the instant up to which nothing can still come; None until every source has spoken.

        Idle sources hold nobody back; where all are idle, the furthest mark is the frontier.
        """
        sources = self._state.sources.values()
        if not sources or len(sources) < self._state.partitions:
            return None
        busy = [source.mark_ms for source in sources if not source.idle]
        return min(busy) if busy else max(source.mark_ms for source in sources)

    def advance(self) -> list[Guide]:
        """Learn what has become certain and return the guides cut, oldest first; often none."""
        until_ms = self.frontier_ms()
        if until_ms is None or until_ms <= NO_TIME_MS:  # all are idle, and none has seen a record yet
            return []
        if self._grid_ms is not None:
            until_ms = until_ms // self._grid_ms * self._grid_ms
        done_ms = self._state.learnt_until_ms
        if done_ms is not None and until_ms <= done_ms:
            return []
        cut = [self._learn_until(boundary_ms) for boundary_ms in boundaries(self._state, until_ms, self._grid_ms)]
        self._state.learnt_until_ms = until_ms
        return [guide for guide in cut if guide is not None]

    def _learn_until(self, boundary_ms: int) -> Guide | None:
        waiting = self._state.waiting
        if waiting and waiting[0][0] <= boundary_ms:
            # Nearly all of a week's examples mature at one instant: sorting them is quicker than taking each from the heap.
            due = sorted(example for example in waiting if example[0] <= boundary_ms)
            waiting[:] = [example for example in waiting if example[0] > boundary_ms]
            heapify(waiting)
            self._learn(due)
        self._examiner.close(boundary_ms)
        return self._cut(boundary_ms)

    def _learn(self, due: Sequence[Waiting]) -> None:
        state = self._state
        for first in range(0, len(due), BLOCK_MAX):
            examples = self._untreated(block(due[first : first + BLOCK_MAX]))
            if not examples.labels.size:
                continue
            self._examiner.test(examples)
            labels = examples.labels.tolist()
            self._model.learn_rows(examples.inputs, labels, examples.taken_ms.tolist())
            state.peers.add(examples, self._model.scales)
            state.counters.examples += len(labels)
            state.counters.churned += sum(labels)
        state.learnt_since_cut = True

    def _untreated(self, examples: Block) -> Block:
        """Return the examples as they would be, had nobody been treated (`stand_ins`)."""
        if not examples.reaches.any():
            return examples
        counters = self._state.counters
        times = self._state.stand_ins.times(examples.reaches.tolist())
        counters.treated += times.count(0)
        counters.repeated += sum(times) - sum(count > 0 for count in times)
        return examples.where(np.repeat(np.arange(len(times)), times))

    def _cut(self, boundary_ms: int) -> Guide | None:
        """Return a new guide; None where nothing was learnt and the extra says what it said before."""
        state = self._state
        quality = self.quality()
        derived = self._extra.at(boundary_ms, quality)
        said = _ordered.encode(derived)
        if not state.learnt_since_cut and said == state.last_extra:
            return None
        state.version += 1
        state.learnt_since_cut = False
        state.last_extra = said
        means, logistic, within = self._model.folded()
        recipe, weights = self._examiner.recipe()
        examples, churned = state.counters.examples, state.counters.churned
        rarer = min(churned, examples - churned)
        guide = Guide(
            version=state.version,
            learnt_until_ms=boundary_ms,
            examples=examples,
            base_rate=churned / examples if examples else 0.5,
            ready=examples >= self._min_labels and rarer * KINDS_SHARE >= self._min_labels,
            names=self._model.names,
            scales=self._model.scales,
            means=means,
            logistic=logistic,
            within=within,
            recipe=recipe,
            weights=weights,
            thresholds=derived.pop("thresholds", {}),
            value_cut=derived.pop("value_cut", None),
            extra=derived,
            quality=quality,
            standing=self._examiner.standing(),
            peers=state.peers.means(),
        )
        self._examiner.keep(guide)
        return guide

    # -- what others look at -------------------------------------------------------------------------------------------

    @property
    def learnt_until_ms(self) -> int | None:
        """Event time up to which everything has been learnt and guides have been cut; None before the first."""
        return self._state.learnt_until_ms

    @property
    def life(self) -> int:
        """The latest life of any source."""
        return max(self._state.lives.values(), default=0)

    @property
    def version(self) -> int:
        """Version of the newest guide."""
        return self._state.version

    @property
    def waiting(self) -> int:
        """Examples that wait for the other sources' marks."""
        return len(self._state.waiting)

    @property
    def counters(self) -> Counters:
        """What has happened to batches and examples."""
        return self._state.counters

    def standing(self) -> Standing:
        """Return how the model stands, as it went with the newest guide or will with the next."""
        return self._examiner.standing()

    def quality(self) -> dict[str, float]:
        """Return the prequential figures by name; see `Prequential.summary`."""
        return self._examiner.figures()

    # -- state ---------------------------------------------------------------------------------------------------------

    @property
    def extra(self) -> Extra:
        """The statistics that travel with the guides, as of now: for whoever knows more of them than that."""
        return self._extra

    def to_bytes(self) -> bytes:
        """Return the whole state: a learner restored from it continues bit for bit as this one would."""
        return encode_saved(Saved(dump_model(self._model), self._extra.dump(), self._state))

    def restore(self, value: bytes) -> None:
        """Continue from what `to_bytes` returned; the settings stay this learner's own.

        Raises:
            NewerSchema, Corrupt, StateError: a newer Churnwatch wrote it; it is no learner's state; it is of other features.
        """
        saved = decode_saved(value)
        model = load_model(saved.model, self._model.names, self._model.scales)
        if not saved.state.fits(len(self._model.names)):
            raise Corrupt("the learner's state holds examples of another length: delete it to learn anew")
        self._extra.load(saved.extra)
        self._model = model
        self._state = saved.state
        self._examiner.resume(saved.state.exam)
