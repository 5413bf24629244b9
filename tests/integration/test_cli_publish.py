"""Topics and publishing through the command line; and what cannot be reached is named in time."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaos.topics import read
from churnwatch import cli
from churnwatch.embedded import EmbeddedKafka
from churnwatch.kafka import describe
from churnwatch.settings import Settings
from churnwatch.topic_layout import known_to_brokers
from streams.topics import partition_for
from tests.integration.cli_runner import Run, create_all, pointed, runner


@pytest.fixture(autouse=True)
def settings(
    kafka_bootstrap: str, redis_url: str, topic_prefix: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    yield from pointed(monkeypatch, kafka_bootstrap, redis_url, topic_prefix, namespace)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


@pytest.fixture
def inputs(create_topics: Callable[..., None], settings: Settings) -> None:
    create_all(create_topics, settings)


def orders_file(path: Path, count: int) -> Path:
    lines = [
        {
            "stream": "orders",
            "event_id": f"e{number}",
            "customer_id": f"c{number % 7}",
            "occurred_at": 1_000_000 + number,
            "order_id": f"o{number}",
            "amount": 1.5,
        }
        for number in range(count)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


# -- topics ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("real_kafka")
def test_topics_are_created_once_and_then_right(run: Run, settings: Settings) -> None:
    assert run("topics", "check", code=1)
    created = json.loads(run("topics", "create", "--json"))["created"]
    assert set(created) == {spec.name for spec in settings.topics().specs()}
    told = json.loads(run("topics", "check", "--json"))
    assert told["ok"] is True
    assert {topic["name"]: topic["partitions"] for topic in told["topics"]}[settings.topics().examples] == 1
    assert json.loads(run("topics", "create", "--json"))["created"] == []


@pytest.mark.usefixtures("real_kafka")
def test_inputs_of_different_size_are_refused_by_name(
    run: Run, settings: Settings, create_topics: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    names = settings.topics().inputs
    create_topics([names["orders"]], 4)
    create_topics([names["logins"]], 2)
    asyncio.run(known_to_brokers(settings, [names["orders"], names["logins"]]))
    for command in ("check", "create"):
        assert cli.run(["topics", command]) == 1
        told = capsys.readouterr().err
        assert f"{names['orders']}: 4" in told
        assert f"{names['logins']}: 2" in told
    run("doctor", code=1)


def test_the_in_process_broker_says_that_it_creates_none(
    run: Run, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    if not asyncio.run(describe(settings)).embedded:
        pytest.skip("a real Kafka does create topics")
    assert cli.run(["topics", "create"]) == 1
    assert "in-process broker cannot create topics" in capsys.readouterr().err
    run("topics", "check")


# -- publish -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("inputs")
def test_what_is_published_is_there_keyed_and_placed_as_any_client_would(
    run: Run, settings: Settings, tmp_path: Path
) -> None:
    path = orders_file(tmp_path / "orders.jsonl", 3000)
    told = json.loads(run("publish", str(path), "--json"))
    topic = settings.topics().inputs["orders"]
    assert told["events"] == {topic: 3000}
    assert (told["dropped"], told["skipped"], told["first"]) == (0, 0, "1970-01-01T00:16:40Z")
    records = read(settings, topic)
    assert len(records) == 3000
    assert all(json.loads(record.value)["customer_id"].encode() == record.key for record in records)
    assert all("stream" not in json.loads(record.value) for record in records)
    assert all(record.partition == partition_for(record.key, 4) for record in records)
    wall_ms = time.time() * 1000
    assert all(abs(record.timestamp - wall_ms) < 600_000 for record in records), "retention would delete the past"


@pytest.mark.usefixtures("inputs")
def test_a_bad_line_publishes_nothing(
    run: Run, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = orders_file(tmp_path / "orders.jsonl", 10)
    with path.open("a") as file:
        file.write("not json\n")
    assert cli.run(["publish", str(path)]) == 1
    assert f"{path}:11: " in capsys.readouterr().err.replace("\n", "")
    assert read(settings, settings.topics().inputs["orders"]) == []
    told = json.loads(run("publish", str(path), "--skip-bad", "--json"))
    assert (told["total"], told["skipped"]) == (10, 1)


@pytest.mark.usefixtures("inputs")
def test_times_can_be_moved_to_now_and_the_rate_held(run: Run, tmp_path: Path) -> None:
    path = orders_file(tmp_path / "orders.jsonl", 40)
    began = time.monotonic()
    told = json.loads(run("publish", str(path), "--shift-to-now", "--rate", "100", "--json"))
    assert time.monotonic() - began >= 0.39
    assert told["last"][:4] >= "2025"


def test_what_the_broker_drops_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "logins.jsonl"
    filler = "x" * 200
    with path.open("w") as file:
        for number in range(40_000):
            login = {"stream": "logins", "event_id": f"e{number}", "customer_id": "ann", "occurred_at": number}
            file.write(json.dumps(login | {"unknown": filler}) + "\n")
    kafka = EmbeddedKafka()
    try:
        monkeypatch.setenv("CHURNWATCH_KAFKA_BOOTSTRAP", kafka.bootstrap)
        assert cli.run(["publish", str(path), "--json"]) == 1
    finally:
        kafka.stop()
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert told["total"] == 40_000
    assert 0 < told["dropped"] < 40_000
    assert f"has already dropped {told['dropped']:,} of the events" in said.err


@pytest.mark.usefixtures("real_kafka")
def test_a_missing_topic_is_not_made_on_the_fly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["publish", str(orders_file(tmp_path / "o.jsonl", 1))]) == 1
    assert "run `churnwatch topics create`" in capsys.readouterr().err


# -- what cannot be reached --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["alerts"], ["dlq", "list"], ["topics", "check"], ["customer", "ann"]])
def test_a_kafka_that_is_not_there_is_named_in_time(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHURNWATCH_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    began = time.monotonic()
    assert cli.run(command) == 1
    assert time.monotonic() - began < 10
    told = capsys.readouterr().err
    assert "CHURNWATCH_KAFKA_BOOTSTRAP" in told
    assert told.count("\n") == 1


def test_a_redis_that_is_not_there_is_named_in_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHURNWATCH_REDIS_URL", "redis://:hush@127.0.0.1:1/0")
    began = time.monotonic()
    assert cli.run(["model", "history"]) == 1
    assert time.monotonic() - began < 10
    told = capsys.readouterr().err
    assert "CHURNWATCH_REDIS_URL" in told
    assert "hush" not in told
    assert told.count("\n") == 1


def test_the_doctor_finds_both_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNWATCH_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("CHURNWATCH_REDIS_URL", "redis://127.0.0.1:1/0")
    told = json.loads(run("doctor", "--json", code=1))
    assert {finding["what"] for finding in told["findings"] if finding["status"] == "fail"} == {"kafka", "redis"}
