"""The silent customers of the benchmark: made as they are said to be, and woken as a worker wakes them."""

import asyncio
from collections import defaultdict
from pathlib import Path

from agents.outbox import Outbox
from agents.record import decode_customer
from bench import synthetic
from bench.silence import MONDAY_END_MS
from bench.silence_child import TOPIC, Heard, Share, finish, runner_of
from bench.silence_spell import Spells, arrivals
from bench.silence_states import DAYS, END_MS, SILENT_DAYS, lives
from churnwatch.offline import FileSource
from churnwatch.settings import Settings
from features.store import MemoryPartition, MemoryStore
from models.question import Question
from streams.time import DAY_MS, parse_instant
from tests.unit.agents.samples import silence_guide

CUSTOMERS = 12
SETTINGS = Settings(clock="replay", learning_enabled=False, topic_partitions=1)


def test_everybody_has_ordered_lately_and_the_log_ends_on_a_sunday_noon() -> None:
    events = lives(CUSTOMERS)
    orders = defaultdict(list)
    for event in events:
        if event["stream"] == "orders":
            orders[event["customer_id"]].append(parse_instant(event["occurred_at"]))
    times = [parse_instant(event["occurred_at"]) for event in events]
    assert times == sorted(times)
    assert times[-1] == END_MS
    assert len(orders) == CUSTOMERS
    for times_ms in orders.values():
        assert END_MS - SILENT_DAYS * DAY_MS <= times_ms[-1] <= END_MS
        assert times_ms[0] >= END_MS - (DAYS + SILENT_DAYS) * DAY_MS
    assert Question().on_grid(END_MS + DAY_MS // 2)
    assert lives(CUSTOMERS) == events


def test_on_monday_everybody_is_asked_about_once(tmp_path: Path) -> None:
    log = synthetic.write(tmp_path / "log.jsonl", lives(CUSTOMERS))
    partition = MemoryPartition()

    async def handle(until_ms: int, *, take: bool) -> Share:
        share, source = Share(), FileSource()
        source.ended = True
        runner = runner_of(
            SETTINGS,
            0,
            store=MemoryStore(partition),
            source=source,
            outbox=Outbox(Heard(share)),
            guide=silence_guide(),
            until_ms=until_ms,
            share=share,
        )
        if take:
            await runner.open()
            runner.push(TOPIC, list(arrivals(log)))
            while await runner.step():
                pass
            return share
        await finish([runner])
        return share

    asyncio.run(handle(END_MS, take=True))
    before = {name: decode_customer(state).wake_ms for name, state in partition.states.items()}
    share = asyncio.run(handle(MONDAY_END_MS, take=False))
    assert share.scorings["snapshot"] == CUSTOMERS
    assert share.wakes >= sum(wake_ms <= MONDAY_END_MS for wake_ms in before.values())
    assert partition.timers.get(MONDAY_END_MS, 100) == []


def test_spells_in_short() -> None:
    told = Spells([20, 21], [40, 44]).told
    assert (told["customers"], told["scorings_max"], told["scorings_mean"], told["wake_ups_max"]) == (2, 21, 20.5, 44)
