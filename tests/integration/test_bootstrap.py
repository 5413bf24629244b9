"""The history from a file and the rest through a worker come to what the whole log comes to, byte for byte."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from alerts.alert import decode, encode
from chaos.installation import PARTITIONS, Installation, in_order, installation
from chaos.logs import QUICK
from chaos.outcome import FAR_MS, differing, said_by, spoken
from chaos.topics import read
from churnwatch.bootstrap import Options, Summary, bootstrap
from churnwatch.bootstrap_files import Files
from churnwatch.bootstrap_history import Sink, replay
from churnwatch.services import Services
from models.guide import Guide, decode_guide, encode_guide
from models.labels import Example
from streams.errors import StateError
from streams.outgoing import Outgoing
from streams.time import parse_instant
from tests.integration.worker_logs import write
from tests.integration.worker_reference import Reference, reference

UNAVAILABLE = 503
INTERRUPTED = 130
WAITS = "run the same `churnwatch bootstrap` again"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return reference(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def lab(
    services: Services, topic_prefix: str, namespace: str, tmp_path: Path, shop: Reference
) -> Iterator[Installation]:
    with installation(
        services, topic_prefix, namespace, tmp_path, clock="replay", replay_until_ms=shop.last_ms, **QUICK
    ) as made:
        yield made


@pytest.fixture
def halves(shop: Reference, tmp_path: Path) -> tuple[Path, Path]:
    """The log cut in two, where the model has just begun to speak."""
    cut = len(shop.events) * 3 // 5
    return write(tmp_path / "past.jsonl", shop.events[:cut]), write(tmp_path / "rest.jsonl", shop.events[cut:])


def last_guide(shop: Reference) -> Guide:
    assert shop.learning.guide is not None
    return shop.learning.guide


def cut_ms(shop: Reference) -> int:
    return parse_instant(shop.events[len(shop.events) * 3 // 5]["occurred_at"])


def run(lab: Installation, path: Path, **options: object) -> Summary:
    return asyncio.run(bootstrap(lab.settings, [path], Options(**options), lambda *_: None))  # type: ignore[arg-type]


def withheld(lab: Installation, past: Path) -> set[str]:
    """The ids of the alerts that the history raises."""
    found: set[str] = set()

    class Collecting(Sink):
        async def publish(self, messages: Sequence[Outgoing]) -> None:
            topic = lab.settings.topics().alerts
            found.update(decode(message.value or b"").alert_id for message in messages if message.topic == topic)
            await super().publish(messages)

    files = Files(lab.settings, [past], None, time.time_ns() // 1_000_000)
    history = asyncio.run(replay(files, PARTITIONS, sink=Collecting))
    assert history.withheld == len(found) > 0
    return found


def model_of(lab: Installation) -> tuple[bytes, list[bytes]]:
    """The newest guide as stored, and the whole history of guides."""
    with lab.redis() as client:
        tag = f"{lab.settings.redis_namespace}:{{learn}}:"
        newest = max(client.scan_iter(f"{tag}guide:*"), key=lambda key: int(key.rpartition(b":")[2]))
        return client.get(newest), client.lrange(f"{tag}history", 0, -1)


def assert_as_if_it_had_run_all_along(lab: Installation, shop: Reference, before: set[str], learnt: int) -> None:
    whole = shop.learning
    held = lab.held()
    wrong = differing(held.customers, whole.partition.states)
    assert not wrong, wrong
    assert held.customers == whole.partition.states
    assert held.timers == dict(whole.partition.timers.get(FAR_MS, len(held.customers) + 1))
    assert sum(meta.customers for meta in held.metas.values()) == len(held.customers)
    said = said_by(lab)
    wanted = spoken(map(encode, whole.alerts), lambda told: shop.events[told["offset"]]["event_id"])
    assert said == {alert: text for alert, text in wanted.items() if alert not in before}
    examples = in_order(lab.examples())
    assert len(examples) + learnt == len(whole.examples)
    every: set[Example] = set(whole.examples)
    assert every.issuperset(examples)
    guide = last_guide(shop)
    lab.wait_for(lambda: decode_guide(model_of(lab)[0]).version == guide.version)
    newest, history = model_of(lab)
    assert newest == encode_guide(guide)
    assert len(history) == guide.version


@pytest.mark.parametrize("overlap", ["none", "known by their ids", "cut by time"])
def test_the_live_stream_takes_over(
    lab: Installation, shop: Reference, halves: tuple[Path, Path], overlap: str
) -> None:
    past, rest = halves
    lab.publish(rest if overlap == "none" else shop.path)
    if overlap == "cut by time":
        summary = run(lab, shop.path, until_ms=cut_ms(shop))
        assert summary.checked.after == len(shop.events) - summary.checked.events
    else:
        summary = run(lab, past)
    assert summary.history.events == {"read": summary.checked.events, "applied": summary.checked.events}
    assert lab.alerts() == []
    assert lab.examples() == []
    assert len(read(lab.settings, lab.settings.topics().scores)) == len(summary.history.scores) > 0
    passed = sum(place.passed_over for place in summary.places.values())
    assert (passed > 0) == (overlap == "cut by time")
    lab.start()
    lab.until(shop.last_ms)
    assert_as_if_it_had_run_all_along(lab, shop, withheld(lab, past), summary.history.examples)


def ended_in_the_middle(lab: Installation, past: Path, by: int, *options: str) -> tuple[int, str]:
    """Begin a bootstrap and end it by a signal when it has claimed and cleared all; its exit code, and what it said."""
    words = [sys.executable, "-m", "churnwatch.cli", "bootstrap", str(past), *options]
    before = lab.metas()

    def claimed() -> bool:
        held = lab.held()
        return len(held.metas) == PARTITIONS and held.metas != before and not held.timers

    process = subprocess.Popen(
        words, env=lab.environ(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        lab.wait_for(claimed)
        process.send_signal(by)
        said, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert {meta.bootstrap for meta in lab.metas().values()} == {"filling"}, said
    return process.returncode, said


def test_killed_in_the_middle_and_run_again_beside_a_waiting_worker(
    lab: Installation, shop: Reference, halves: tuple[Path, Path]
) -> None:
    past, rest = halves
    lab.publish(rest)
    code, said = ended_in_the_middle(lab, past, signal.SIGINT)
    assert code == INTERRUPTED
    assert "run the same command again" in said
    assert ended_in_the_middle(lab, past, signal.SIGKILL)[0] == -signal.SIGKILL

    worker = lab.start()
    lab.wait_for(lambda: worker.log.count(WAITS) == PARTITIONS)
    assert worker.get("/readyz")[0] == UNAVAILABLE
    assert lab.taken() == 0

    summary = run(lab, past)
    lab.until(shop.last_ms)
    assert_as_if_it_had_run_all_along(lab, shop, withheld(lab, past), summary.history.examples)
    with pytest.raises(StateError, match="--replace"):
        run(lab, past)


def command(lab: Installation, *arguments: object) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "churnwatch.cli", "bootstrap", *map(str, arguments)]
    return subprocess.run(words, env=lab.environ(), capture_output=True, text=True, check=False)


def test_what_kafka_has_deleted_and_the_files_do_not_hold_is_missed(
    lab: Installation, real_kafka: str, halves: tuple[Path, Path]
) -> None:
    past, rest = halves
    lab.publish(rest)
    orders = lab.settings.topics().inputs["orders"]
    admin = AdminClient({"bootstrap.servers": real_kafka, "log_level": 0})
    for deleted in admin.delete_records([TopicPartition(orders, p, 2) for p in range(PARTITIONS)]).values():
        deleted.result(20)
    refused = command(lab, past)
    assert refused.returncode == 1
    assert f"Kafka has deleted the beginning of {orders} (begins 2024-" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert lab.metas() == {}

    told = json.loads(command(lab, past, "--allow-gap", "--json").stdout)
    assert [topic.partition(" ")[0] for topic in told["gaps"]] == [orders]
    assert told["topics_begin_at"][orders] == {str(p): 2 for p in range(PARTITIONS)}
    assert told["events"]["applied"] == told["events"]["read"] > 0
    again = command(lab, past)
    assert again.returncode == 1
    assert f"namespace {lab.settings.redis_namespace} already holds state" in again.stderr


def test_state_that_is_there_is_only_replaced_on_demand(
    lab: Installation, shop: Reference, halves: tuple[Path, Path]
) -> None:
    past, rest = halves
    lab.publish(rest)
    worker = lab.start()
    lab.until(shop.last_ms)
    assert worker.terminate() == 0
    before = lab.held()
    with pytest.raises(StateError, match="already holds state"):
        run(lab, past)
    assert lab.held() == before

    # What the first life has left, on the topic of examples too, does not disturb the second, nor a worker that waits for it.
    ended_in_the_middle(lab, past, signal.SIGKILL, "--replace")
    waiting = lab.start()
    lab.wait_for(lambda: waiting.log.count(WAITS) == PARTITIONS)
    run(lab, past)
    lab.until(shop.last_ms)
    lab.wait_for(lambda: model_of(lab)[0] == encode_guide(last_guide(shop)))
    assert lab.held().customers == shop.learning.partition.states
