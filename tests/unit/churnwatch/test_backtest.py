"""The offline replay: what the worker would have said, from files alone."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from agents.wakeups import Keeping
from alerts.alert import Alert
from churnwatch import compose
from churnwatch.backtest import Backtest, replay
from churnwatch.backtest_route import Decoding, in_order, items_of, lines_of
from churnwatch.settings import Settings
from models.guide import Guide
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.errors import InputFileError
from streams.time import DAY_MS, HOUR_MS
from streams.topics import Topics
from tests.unit.agents.samples import START_MS, silence_guide
from tests.unit.agents.world import World

NOW_MS = START_MS + 3_000 * DAY_MS
SETTINGS = Settings(
    horizon_ms=14 * DAY_MS,
    active_ms=28 * DAY_MS,
    min_labels=10,
    alert_min_order_days=1,
    alert_floor_new=0.2,
    alert_floor_standard=0.2,
    alert_floor_loyal=0.2,
    alert_floor_high_value=0.2,
    model_interval_ms=7 * DAY_MS,
)


def line(stream: str, customer: str, at_ms: int, number: int, **fields: Any) -> dict[str, Any]:
    own = {"stream": stream, "event_id": f"e{number}", "customer_id": customer, "occurred_at": at_ms}
    if stream == "orders":
        own |= {"order_id": f"o{number}", "amount": 20, "currency": "EUR"}
    return own | fields


def shop(customers: int = 8, weeks: int = 20) -> list[dict[str, Any]]:
    """Weekly customers, every other of whom leaves, one after the other; orders and logins at the very same instants."""
    lines: list[dict[str, Any]] = []
    for week in range(weeks):
        for customer in range(customers):
            if customer % 2 and week > customer * weeks // 10:
                continue
            at_ms = START_MS + week * 7 * DAY_MS + customer * HOUR_MS
            for stream in ("orders", "logins"):
                lines.append(line(stream, f"c{customer}", at_ms, len(lines)))
    return lines


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return path


def run(*paths: Path, frozen: Guide | None = None, settings: Settings = SETTINGS) -> Backtest:
    return asyncio.run(replay(settings, paths, now_ms=NOW_MS, frozen=frozen))


def test_it_learns_and_warns(tmp_path: Path) -> None:
    result = run(write(tmp_path / "shop.jsonl", shop()))
    assert result.events == {"read": len(shop()), "applied": len(shop())}
    assert (result.first_ms, result.last_ms) == (START_MS, max(one["occurred_at"] for one in shop()))
    assert result.guide is not None
    assert result.guide.ready
    # What has matured since the last boundary of the models' grid is not learnt any more.
    assert 50 < result.guide.examples <= len(result.examples)
    assert {example.label for example in result.examples} == {0, 1}
    assert "auc" in result.quality
    assert {alert.kind for alert in result.alerts} >= {"opened"}


def test_the_same_files_give_the_same_result(tmp_path: Path) -> None:
    path = write(tmp_path / "shop.jsonl", shop())
    first, second = run(path), run(path)
    assert first.alerts == second.alerts
    assert first.examples == second.examples
    assert first.partition.states == second.partition.states
    assert first.guide == second.guide


def test_files_are_merged_by_event_time(tmp_path: Path) -> None:
    whole = run(write(tmp_path / "whole.jsonl", shop()))
    orders = write(tmp_path / "a.jsonl", [one for one in shop() if one["stream"] == "orders"])
    logins = write(tmp_path / "b.jsonl", [one for one in shop() if one["stream"] == "logins"])
    parts = run(orders, logins)
    assert parts.partition.states == whole.partition.states
    assert len(parts.alerts) == len(whole.alerts) > 0


def test_a_model_can_be_frozen(tmp_path: Path) -> None:
    guide = silence_guide()
    result = run(write(tmp_path / "shop.jsonl", shop()), frozen=guide)
    assert result.guide == guide
    assert result.quality == {}
    assert {alert.model.version for alert in result.alerts} == {"1"}
    assert {alert.customer_id for alert in result.alerts if alert.kind == "churned"} == {"c1", "c3", "c5", "c7"}


@pytest.mark.parametrize("partitions", [1, 4])
@pytest.mark.parametrize("frozen", [None, silence_guide()])
def test_it_says_what_partitions_would_have_said_that_are_fed_topic_by_topic(
    tmp_path: Path, partitions: int, frozen: Guide | None
) -> None:
    result = run(write(tmp_path / "shop.jsonl", shop()), frozen=frozen)
    world = World(
        [_arrival(one) for one in shop()],
        result.last_ms,
        partitions=partitions,
        events=5,
        wakes=7,
        fetch=3,
        guide=frozen,
        policy=compose.policy(SETTINGS),
        question=compose.question(SETTINGS),
        keeping=_keeping(),
        fresh=compose.learner(SETTINGS.model_copy(update={"clock": "replay"})),
    ).run()
    assert world.states == result.partition.states
    assert [_placeless(alert) for alert in world.alerts] == [_placeless(alert) for alert in _sorted(result.alerts)]
    assert world.examples == sorted(result.examples, key=lambda example: (example.taken_ms, example.customer))
    if frozen is None:
        assert world.guides.latest.guide == result.guide
        assert world.learner is not None
        assert world.learner.quality() == result.quality


def _arrival(one: dict[str, Any]) -> Arrival:
    topics = Topics()
    record = RawRecord(topics.inputs[one["stream"]], 0, 0, 0, one["customer_id"].encode(), json.dumps(one).encode())
    arrival = decode(record, one["stream"], Limits(), NOW_MS)
    assert isinstance(arrival, Arrival)
    return arrival


def _keeping() -> Keeping:
    return compose.pipeline(SETTINGS)._keeping


def _sorted(alerts: list[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: (alert.raised_at, alert.customer_id, alert.alert_id))


def _placeless(alert: Alert) -> tuple[Any, ...]:
    return alert.alert_id, alert.kind, alert.risk, alert.threshold, alert.reasons, alert.model, alert.trigger.kind


def test_of_events_at_the_same_instant_the_topic_decides_not_the_file(tmp_path: Path) -> None:
    lines = [
        line("orders", "ann", START_MS, 1),
        line("logins", "ann", START_MS, 2),
        line("orders", "ann", START_MS, 3),
        line("logins", "ann", START_MS + 1, 4),
    ]
    decoding = Decoding(Topics(), Limits(), NOW_MS)
    path = write(tmp_path / "a.jsonl", lines)
    came = [item.event.event_id for *_, item in in_order([items_of(path, decoding)])]
    assert came == ["e2", "e1", "e3", "e4"]
    assert [json.loads(line[2])["event_id"] for *_, (_, line) in in_order([lines_of(path, decoding)])] == came


def test_bad_events_are_counted_and_passed_over(tmp_path: Path) -> None:
    lines = [{"stream": "orders"}, *shop(2, 4), line("orders", "far", NOW_MS + 2 * DAY_MS, 900), {"stream": "logins"}]
    result = run(write(tmp_path / "shop.jsonl", lines))
    good = len(shop(2, 4))
    assert result.events == {"read": good + 3, "applied": good, "dead_lettered": 3}


@pytest.mark.parametrize("lines", [[], [{"stream": "orders"}]])
def test_a_log_without_events_ends_at_once(tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    result = run(write(tmp_path / "empty.jsonl", lines))
    assert (result.alerts, result.examples, result.events["read"]) == ([], [], len(lines))


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="nowhere"):
        run(tmp_path / "nowhere.jsonl")
    with pytest.raises(InputFileError, match="unknown stream"):
        run(write(tmp_path / "odd.jsonl", [{"stream": "oders"}]))


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = write(tmp_path / "shop.jsonl", shop())
    settings = SETTINGS.model_copy(update={"chunk_events_max": 40})
    asyncio.run(
        replay(
            settings,
            [path],
            now_ms=NOW_MS,
            progress=lambda result, clock_ms, _: told.append((result.events["read"], clock_ms)),
        )
    )
    assert told == sorted(told)
    assert told[-1] == (len(shop()), max(one["occurred_at"] for one in shop()))


def test_a_result_is_not_written_out_by_asyncio() -> None:
    assert len(repr(Backtest(alerts=[], examples=[]))) < 200
