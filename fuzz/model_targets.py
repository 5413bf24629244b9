"""What lies in Redis of the learner, and what comes to it by Kafka: batches, snapshots, guides, its whole memory, the budget."""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from agents.effects import Effects
from agents.guides import GuideBook
from agents.record import decode_customer, encode_customer
from alerts.budget import BudgetKeeper
from churnwatch import compose
from churnwatch.model_told import guide_told, record_told
from features.vector import vector
from fuzz.input_targets import expect
from fuzz.oracle import Parts, Target
from fuzz.samples import NAMES, NOW_MS, SCALES, Samples, batch_bytes, small_batches, small_learner, taught_learner
from fuzz.state_targets import FORGED, OTHER, drive, order_of
from models.guide import Guide, decode_guide, encode_guide
from models.labels import ExampleBatch, decode_batch, encode_batch
from models.learner import Learner
from models.pipeline import ChurnModel
from models.scorer import Scorer
from models.snapshot import dump_model, load_model
from models.store import (
    Head,
    LearnerCommit,
    MemoryLearner,
    MemoryLearnerStore,
    decode_head,
    decode_record,
    encode_head,
    encode_record,
)
from streams.errors import Corrupt
from streams.time import DAY_MS

VECTOR: Final = (12.0, 2.0, 300.0)


def model_targets(made: Samples) -> list[Target]:
    """Return the targets of this file."""
    return [
        batch_target(),
        snapshot_target(),
        guide_target(made),
        store_target(made),
        budget_target(made),
        learner_target(),
        whole_learner_target(made),
    ]


def batch_target() -> Target:
    """A message on the example topic, to a learner that has learnt: it must learn on afterwards, and be stored."""
    taught = taught_learner().to_bytes()
    follow_up = [_later(batch) for batch in small_batches()[-2:]]

    def run(parts: Parts) -> bool:
        batch = decode_batch(parts[0])
        learner = small_learner()
        learner.restore(taught)
        _go_on(learner, [batch, *follow_up])
        return True

    return Target("batch", [(value,) for value in batch_bytes()], run, 2.0)


def _later(batch: ExampleBatch) -> ExampleBatch:
    return msgspec.structs.replace(batch, seq=batch.seq + 5, mark_ms=batch.mark_ms + 21 * DAY_MS)


def _go_on(learner: Learner, batches: list[ExampleBatch]) -> None:
    """Teach it, and look at everything that is looked at in a turn."""
    for batch in batches:
        learner.absorb(batch)
        for guide in learner.advance():
            _use(guide, VECTOR)
    figures = learner.quality()
    expect(all(math.isfinite(figure) for figure in figures.values()), "a figure that is no number")
    msgspec.json.encode([learner.standing(), figures, learner.counters])
    small_learner().restore(learner.to_bytes())


def _use(guide: Guide, features: Any) -> None:
    """Score, explain, keep: what a worker does with a guide."""
    scorer = Scorer(guide)
    for figures in (features, (0.0,) * len(features), (1e300,) * len(features)):
        risk = scorer.risk(figures)
        expect(0.0 <= risk <= 1.0, f"a risk of {risk}")
        expect(all(math.isfinite(share) for share in scorer.contributions(figures)), "a share that is no number")
    stored = encode_guide(guide)
    expect(encode_guide(decode_guide(stored)) == stored, "a guide that changes when it is stored")
    record = decode_record(encode_record(guide))
    msgspec.json.encode([guide_told(Head(), guide), record_told(record, kept=True)])


def snapshot_target() -> Target:
    """The model's numbers, alone."""
    taught = ChurnModel(NAMES, SCALES)
    for number in range(40):
        taught.learn([number % 7, number % 3, number], number % 2, NOW_MS - number % 3 * 7 * DAY_MS)
    value = dump_model(taught)

    def run(parts: Parts) -> bool:
        model = load_model(parts[0], NAMES, SCALES)
        before = model.predict(VECTOR)
        model.learn(VECTOR, 1, NOW_MS)
        expect(0.0 <= before <= 1.0 and 0.0 <= model.predict(VECTOR) <= 1.0, "a prediction that is none")
        model.folded()
        load_model(dump_model(model), NAMES, SCALES)
        return True

    return Target("snapshot", [(value,)], run, 6.0)


def guide_target(made: Samples) -> Target:
    """A guide: what the workers of all partitions score and decide with."""
    guide = made.backtest.guide or compose.first_guide()
    pipeline = compose.pipeline(made.settings)
    honest = made.backtest.partition.states[OTHER]
    figures = vector(decode_customer(honest).activity, NOW_MS)

    def run(parts: Parts) -> bool:
        forged = decode_guide(parts[0])
        book = GuideBook(compose.first_guide())
        book.add(forged.learnt_until_ms, forged)
        _use(forged, figures)
        customers = {FORGED: decode_customer(honest), OTHER: decode_customer(honest)}
        items = [order_of(FORGED, NOW_MS - DAY_MS)]
        effects: Effects = pipeline.step(
            customers, items, [OTHER], NOW_MS - 2 * DAY_MS, NOW_MS + 8 * DAY_MS, book, NOW_MS
        )
        expect(not effects.failures, "customers cannot be worked on with it")
        for customer_id in effects.touched:
            decode_customer(encode_customer(customers[customer_id]))
        return True

    return Target("guide", [(encode_guide(guide),), (encode_guide(compose.first_guide()),)], run, 4.0)


def store_target(made: Samples) -> Target:
    """The head, the pinned version, and an entry of the history; then a commit on top of them."""
    guide = made.backtest.guide or compose.first_guide()
    head = encode_head(Head(7, 900, NOW_MS, 3, ((NOW_MS - 6 * DAY_MS, 1), (NOW_MS - 3 * DAY_MS, 2), (NOW_MS, 3))))

    def run(parts: Parts) -> bool:
        value, pinned, record = parts
        decode_head(value, pinned or None).version_at(NOW_MS)
        data = MemoryLearner(b"state", value, pinned or None, {3: encode_guide(guide)}, [record])
        store = MemoryLearnerStore(data)
        drive(store.open())
        drive(store.commit(LearnerCommit(b"next", 901, NOW_MS, [guide])))
        drive(store.set_pinned(guide.version))
        msgspec.json.encode([record_told(found, kept=False) for found in drive(store.history())])
        return True

    return Target("store", [(head, b"", encode_record(guide)), (head, b"2", encode_record(guide))], run, 6.0)


def budget_target(made: Samples) -> Target:
    """The budget's state and a batch's statistics."""
    policy = compose.policy(made.settings)
    keeper = BudgetKeeper(policy)
    day = NOW_MS // DAY_MS
    for ago in range(40):
        keeper.absorb(0, {day - ago: [{"loyal": {41: 1, 87: -1}, "new.rule": {20: 3}}, {100: 2, 200: 1}, 1]})
    state = msgspec.msgpack.encode(keeper.dump())
    stats = msgspec.msgpack.encode({day: [{"loyal": {41: 1, 87: -1}}, {3: 1}, 2]})

    def run(parts: Parts) -> bool:
        loaded = BudgetKeeper(policy)
        try:
            said, counted = (msgspec.msgpack.decode(part, strict=False) for part in parts)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False  # its envelope is what the learner's target is for
        loaded.load(said)
        if isinstance(counted, dict):
            try:
                loaded.absorb(0, counted)
            except Corrupt:
                loaded.load(said)
        derived = loaded.at(NOW_MS, {})
        expect(
            all(0.0 <= threshold <= 1.0 for threshold in derived["thresholds"].values()), "a threshold that is no risk"
        )
        written = msgspec.msgpack.encode(loaded.dump())
        loaded.load(msgspec.msgpack.decode(written, strict=False))
        return True

    return Target("budget", [(state, stats)], run, 2.0)


def learner_target() -> Target:
    """A learner's whole memory: restored, taught on, looked at, stored again."""
    follow_up = [_later(batch) for batch in small_batches()[-2:]]

    def run(parts: Parts) -> bool:
        learner = small_learner()
        learner.restore(parts[0])
        _go_on(learner, follow_up)
        return True

    untaught = small_learner()
    untaught.absorb(small_batches()[0])
    return Target("learner", [(taught_learner().to_bytes(),), (untaught.to_bytes(),)], run, 2.0)


def whole_learner_target(made: Samples) -> Target:
    """The learner of a worker, with all features and the budget."""
    day = NOW_MS // DAY_MS
    batch = ExampleBatch(
        0, 1, 1 << 20, NOW_MS + 7 * DAY_MS, False, made.backtest.examples[-3:], {day: [{"loyal": {41: 1}}, {3: 1}, 0]}
    )
    batch = decode_batch(encode_batch(batch))

    def run(parts: Parts) -> bool:
        learner = compose.learner(made.settings)
        learner.restore(parts[0])
        learner.absorb(batch)
        learner.advance()
        learner.to_bytes()
        return True

    return Target("whole-learner", [(made.learner,)], run, 0.1, seconds_max=1.0)
