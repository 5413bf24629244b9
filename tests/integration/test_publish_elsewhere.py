"""The programs of docs/how-to/publish-*.md put events where the worker looks for them, in a form that it takes."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from chaos.topics import read
from churnwatch.embedded import PARTITIONS
from churnwatch.kafka_jars import kafka_home
from churnwatch.settings import Settings
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.topics import partition_for

HOW_TO: Final = Path(__file__).parents[2] / "docs/how-to"
CUSTOMERS: Final = ("c-1", "c-2", "Zoë")
LIBRARY: Final = "kafkajs@2"
SECONDS_MAX: Final = 60.0
SMALL_JAVA: Final = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
"""It lives for a second: what is optimised for hours costs more than it saves."""

pytestmark = pytest.mark.slow


def program(page: str, name: str, folder: Path) -> Path:
    """Write the program that a page shows under that name."""
    found = re.search(
        rf"<!-- file: {re.escape(name)} -->\n```\w+\n(.*?)^```$", (HOW_TO / page).read_text(), re.MULTILINE | re.DOTALL
    )
    assert found is not None, f"{page} shows no {name}"
    path = folder / name
    path.write_text(found[1])
    return path


def run(*command: str | Path, folder: Path) -> str:
    environ = os.environ | SMALL_JAVA
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def topic(real_kafka: str, topic_prefix: str, create_topics: Callable[..., None]) -> str:
    create_topics([name := f"{topic_prefix}customer.orders"])
    return name


def check(bootstrap: str, topic: str, said: str) -> None:
    """Compare what lies on the topic with what a worker takes, and with what the program says."""
    records = read(Settings(kafka_bootstrap=bootstrap), topic)
    at = {record.key.decode(): record.partition for record in records}
    assert at == {customer: partition_for(customer.encode(), PARTITIONS) for customer in CUSTOMERS}
    told = {(line.split()[0], int(line.split()[1])) for line in said.splitlines()}
    assert told == {(topic, partition) for partition in at.values()}
    for record in records:
        raw = RawRecord(topic, record.partition, record.offset, record.timestamp, record.key, record.value)
        found = decode(raw, "orders", Limits(), record.timestamp)
        assert isinstance(found, Arrival), found
        assert found.event.customer_id == record.key.decode()


def test_java_puts_events_where_the_worker_looks(real_kafka: str, topic: str, tmp_path: Path) -> None:
    home = kafka_home(lambda _: None)  # it is there: the broker runs of it
    source = program("publish-java.md", "Publish.java", tmp_path)
    check(real_kafka, topic, run(home.java, "-cp", f"{home.jars}/*", source, real_kafka, topic, folder=tmp_path))


def test_node_puts_events_where_the_worker_looks(real_kafka: str, topic: str, tmp_path: Path) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    source = program("publish-node.md", "publish.mjs", tmp_path)
    run(node, "--check", source, folder=tmp_path)
    install = [npm, "install", "--offline", "--no-audit", "--no-fund", "--silent", "--prefix", str(tmp_path), LIBRARY]
    if subprocess.run(install, capture_output=True, timeout=SECONDS_MAX, check=False).returncode != 0:
        pytest.skip(f"checked by `node --check` only: {LIBRARY} is not in npm's cache, and a test installs nothing")
    check(real_kafka, topic, run(node, source, real_kafka, topic, folder=tmp_path))
