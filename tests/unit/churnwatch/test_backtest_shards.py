"""Customers dealt out to shards: whatever their number, and whoever is quicker, the answers are those of one."""

import asyncio
import random
from collections import deque
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from agents.effects import Effects
from agents.guides import GuideBook
from agents.pipeline import Pipeline
from churnwatch import backtest_route, backtest_shard, compose
from churnwatch.backtest import WAITING_MAX, Backtest, Collector, replay
from churnwatch.backtest_frames import Chunk, Wants
from churnwatch.backtest_history import History
from churnwatch.backtest_route import Dealer, Decoding, Watermark, in_order, items_of, lines_of
from churnwatch.backtest_rows import Snapshots
from churnwatch.backtest_shard import Shard
from churnwatch.evaluation import Rows
from churnwatch.settings import Settings
from models.guide import Guide
from models.labels import Example
from streams.codec import Arrival, Limits
from streams.feed import NO_TIME_MS
from streams.time import DAY_MS, HOUR_MS, iso
from streams.topics import Topics
from tests.unit.agents.samples import START_MS, silence_guide
from tests.unit.churnwatch.test_backtest import NOW_MS, SETTINGS, line, shop, write

ALL = Wants(history=True, snapshots=True)
LIVELY = SETTINGS.model_copy(update={"wakes_per_step_max": 5, "lateness_ms": 6 * HOUR_MS})


def untidy(seed: int, customers: int = 6, weeks: int = 36) -> list[dict[str, Any]]:
    """A shop of customers who leave, with events that come late, twice, at one instant or not at all as they should."""
    rng, number = random.Random(seed), count()
    events: list[dict[str, Any]] = []
    for customer in range(customers):
        name, gap = f"c{customer}", rng.uniform(4, 12)
        at, leaves = rng.uniform(0, 25), rng.uniform(20, weeks * 7 * 1.3)
        while at < min(leaves, weeks * 7):
            at_ms = START_MS + int(at * 24) * HOUR_MS
            events.append(line("orders", name, at_ms, next(number), amount=rng.choice([5, 20, 90])))
            if rng.random() < 0.3:
                events.append(line("logins", name, at_ms, next(number)))
            at += rng.expovariate(1 / gap)
        if leaves < weeks * 7 and customer % 3 == 0:
            events.append(line("cancellations", name, START_MS + int(leaves * 24) * HOUR_MS, next(number)))
        events.append(line("profiles", name, START_MS + customer * DAY_MS, next(number), segment="loyal"))
    events.sort(key=lambda event: int(event["occurred_at"]))
    for _ in range(len(events) // 8):  # beyond the lateness, some beyond all that is kept
        place = rng.randrange(len(events))
        events.insert(rng.randrange(place, len(events)), events.pop(place))
    events.extend(rng.sample(events, 5))
    far_ms = START_MS + weeks * 7 * DAY_MS
    for broken in (
        {"occurred_at": far_ms, "amount": -1},
        {"occurred_at": NOW_MS + 9 * DAY_MS},
        {"occurred_at": "soon"},
    ):
        events.insert(rng.randrange(len(events)), line("orders", "c1", START_MS, next(number)) | broken)
    for event in rng.sample(events, 20):
        if isinstance(event["occurred_at"], int) and event["occurred_at"] < NOW_MS:
            event["occurred_at"] = iso(event["occurred_at"])
    return events


def dealt_out(path: Path, shards: int, settings: Settings, frozen: Guide | None, seed: int) -> Backtest:
    """Replay in this process with so many shards, now one and now another at work, as `Crew` does with processes."""
    settings = settings.model_copy(update={"clock": "replay", "learning_enabled": frozen is None})
    rng = random.Random(seed)
    result = Backtest(history=History(settings.churn_on), snapshots=Snapshots())
    learner = compose.learner(settings, WAITING_MAX) if frozen is None else None
    collector = Collector(result, learner, ALL, compose.epoch_ms(settings))
    guides = GuideBook(frozen or compose.first_guide(), compose.epoch_ms(settings))
    limits = Limits(settings.value_bytes_max, settings.future_tolerance_ms)
    decoding = Decoding(settings.topics(), limits, NOW_MS)
    dealer = Dealer([path], decoding, settings.lateness_ms)
    crew = [Shard(settings, number, shards, NOW_MS, frozen, ALL) for number in range(shards)]
    waiting: list[deque[Chunk]] = [deque(chunks) for chunks in zip(*dealer.chunks(shards), strict=True)]
    idle = 0
    while not all(shard.over for shard in crew):
        number = rng.randrange(shards)
        shard = crew[number]
        if waiting[number] and rng.random() < 0.5:
            shard.take(decoding.piece(waiting[number].popleft()))
        elif not waiting[number]:
            shard.end(dealer.last_ms)
        told = shard.work()
        idle = 0 if told else idle + 1
        assert idle < 1_000, "nobody gets on"
        for guide in () if told is None else collector.take(told):
            guides.add(guide.learnt_until_ms, guide)
            for one in crew:
                one.guides.add(guide.learnt_until_ms, guide)
        if learner is not None and learner.learnt_until_ms is not None:
            for one in crew:
                one.guides.finished(learner.learnt_until_ms)
    for shard in crew:
        for rest in shard.rest():
            collector.keep(rest)
    result.first_ms, result.last_ms = dealer.first_ms, dealer.last_ms
    collector.close(guides)
    return result


def assert_same(one: Backtest, other: Backtest) -> None:
    """Compare everything that a replay gives."""
    assert one.events == other.events
    assert one.scorings == other.scorings
    assert one.alerts == other.alerts
    assert one.examples == other.examples
    assert (one.guide, one.quality) == (other.guide, other.quality)
    assert (one.first_ms, one.last_ms) == (other.first_ms, other.last_ms)
    assert one.partition.states == other.partition.states
    assert _timers(one) == _timers(other)
    for history in (one.history, other.history):
        history.finish()
    assert one.history == other.history
    assert _columns(one) == _columns(other)


def _timers(result: Backtest) -> list[tuple[str, int]]:
    return result.partition.timers.get(1 << 60, 1_000_000)


def _columns(result: Backtest) -> dict[str, Any]:
    rows: Rows = result.snapshots.rows(result.history.names)
    return {name: list(getattr(rows, name)) for name in rows.__slots__}


@pytest.fixture(autouse=True)
def pieces_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of hundreds is to come in as many pieces as one of millions."""
    monkeypatch.setattr(backtest_route, "CHUNK_LINES", 23)


@pytest.mark.parametrize("frozen", [None, silence_guide()])
@pytest.mark.parametrize("seed", range(6))
def test_the_answers_do_not_depend_on_how_many_share_the_work(tmp_path: Path, seed: int, frozen: Guide | None) -> None:
    path = write(tmp_path / "untidy.jsonl", untidy(seed))
    alone = asyncio.run(replay(LIVELY, [path], now_ms=NOW_MS, frozen=frozen, wants=ALL))
    assert alone.events["dead_lettered"] == 3
    assert len(alone.alerts) > 0
    assert_same(alone, dealt_out(path, 1 + seed % 5, LIVELY, frozen, seed))


def test_lines_taken_customer_by_customer_come_to_what_they_do_in_event_time_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "untidy.jsonl", untidy(5))
    in_turns = asyncio.run(replay(LIVELY, [path], now_ms=NOW_MS, wants=ALL))
    step = Pipeline.step

    def with_a_clock(self: Pipeline, *arguments: Any, careful: bool, punctual: bool) -> Effects:
        assert punctual
        return step(self, *arguments, careful=careful)

    monkeypatch.setattr(Pipeline, "step", with_a_clock)
    monkeypatch.setattr(backtest_shard, "by_customer", list)
    assert_same(in_turns, asyncio.run(replay(LIVELY, [path], now_ms=NOW_MS, wants=ALL)))


def test_a_record_that_cannot_be_worked_on_is_left_out_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = shop()
    without = asyncio.run(replay(SETTINGS, [write(tmp_path / "without.jsonl", events)], now_ms=NOW_MS))
    bad = line("orders", "c0", events[100]["occurred_at"], 999)
    path = write(tmp_path / "with.jsonl", [*events[:100], bad, *events[100:]])
    take_in = Pipeline._take_in

    def faulty(self: Pipeline, item: Arrival, *rest: Any) -> None:
        if item.event.event_id == "e999":
            raise ZeroDivisionError
        take_in(self, item, *rest)

    monkeypatch.setattr(Pipeline, "_take_in", faulty)
    result = asyncio.run(replay(SETTINGS, [path], now_ms=NOW_MS))
    assert result.events == without.events | {"read": len(events) + 1, "dead_lettered": 1}
    assert result.partition.states == without.partition.states
    assert result.examples == without.examples


def test_a_small_cache_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "untidy.jsonl", untidy(3))
    plenty, little = (
        asyncio.run(replay(LIVELY.model_copy(update={"cache_customers_max": kept}), [path], now_ms=NOW_MS, wants=ALL))
        for kept in (1_000, 1)
    )
    assert_same(plenty, little)


def test_what_nobody_wants_is_not_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "untidy.jsonl", untidy(3))
    wants = Wants(examples=False, states=False)
    result = asyncio.run(replay(LIVELY, [path], now_ms=NOW_MS, wants=wants))
    assert result.labelled > 0
    assert (result.examples, result.partition.states, result.history.names, len(result.snapshots)) == ([], {}, {}, 0)


def test_snapshots_are_the_examples_and_what_was_still_open(tmp_path: Path) -> None:
    path = write(tmp_path / "untidy.jsonl", untidy(4))
    result = asyncio.run(replay(LIVELY, [path], now_ms=NOW_MS, wants=ALL, vectors=True))
    rows = result.snapshots.rows(result.history.names)
    labelled = {(one.taken_ms, result.history.names[one.customer]): one for one in result.examples}
    assert len(rows) > len(labelled) > 0
    for place, (at_ms, customer) in enumerate(zip(rows.taken_ms.tolist(), rows.customer.tolist(), strict=True)):
        one = labelled.get((at_ms, rows.names[customer]))
        if one is None:
            assert rows.label[place] == -1
        else:
            _assert_row(rows, place, one)


def _assert_row(rows: Rows, place: int, one: Example) -> None:
    found = rows.risk[place], rows.version[place], rows.label[place], rows.matured_ms[place], rows.segment[place]
    assert found == (one.risk, one.version, one.label, one.matured_ms, one.segment)
    assert rows.vectors[place] == one.vector


def test_a_customer_goes_to_one_shard_however_the_id_is_written(tmp_path: Path) -> None:
    path = tmp_path / "two.jsonl"
    path.write_text(
        r'{"stream": "logins", "event_id": "a", "customer_id": "\u0061nn", "occurred_at": 5}'
        "\n"
        r'{"stream": "logins", "event_id": "b", "customer_id": "ann", "occurred_at": 6}'
        "\n"
        r'{"stream": "logins", "event_id": "c", "customer_id": ["\\"], "occurred_at": "\u0035"}'
        "\n"
        r'{"stream": "logins"}'
    )
    found = list(in_order([lines_of(path, _decoding())]))
    assert [at_ms for at_ms, *_ in found] == [5, 6, NO_TIME_MS, NO_TIME_MS]
    assert [item[:2] for item in in_order([items_of(path, _decoding())])] == [item[:2] for item in found]
    one, other, *_ = (customer for *_, (customer, _) in found)
    assert one == other


def test_a_watermark_is_raised_by_valid_lines_only() -> None:
    watermark = Watermark(_decoding())
    assert watermark.ms() == NO_TIME_MS
    for at_ms, raw in ((5, _good), (90, _bad), (20, _good), (95, _bad), (10, _good)):
        watermark.take(at_ms, (0, 0, raw(at_ms)))
    assert not watermark.behind(18, 5)
    assert watermark.behind(14, 5)
    assert watermark.ms() == 20
    for at_ms in range(21, 3_000):
        watermark.take(at_ms, (0, at_ms, _good(at_ms)))
    assert watermark.ms() == 2_999


def _good(at_ms: int) -> bytes:
    return f'{{"event_id": "e", "customer_id": "ann", "occurred_at": {at_ms}}}'.encode()


def _bad(at_ms: int) -> bytes:
    return f'{{"event_id": "e", "occurred_at": {at_ms}}}'.encode()


def _decoding() -> Decoding:
    return Decoding(Topics(), Limits(), NOW_MS)
