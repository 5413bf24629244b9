"""Kafka is fetched once, bounded in time, and a failure is remembered: with stand-ins for java and mvn on the PATH."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from churnwatch import kafka_jars
from churnwatch.child import ServiceError
from churnwatch.kafka_jars import RETRY_AFTER_S, VERSIONS, kafka_home

NEWEST, OLDER = list(VERSIONS)
JAVA_17 = """echo 'openjdk version "17.0.15" 2025-04-15' >&2"""
# -DoutputDirectory=… is the last argument, as kafka_jars writes it
FETCHES = 'for last; do :; done; mkdir "${last#-DoutputDirectory=}"; touch "${last#-DoutputDirectory=}/kafka.jar"'
COUNTS = 'echo x >>"$XDG_CACHE_HOME/calls"; '

Programs = Callable[..., None]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Put shell scripts of these names on an otherwise bare PATH; the cache is empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    def install(**scripts: str) -> None:
        for name, script in scripts.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)

    return install


def calls(cache: Path) -> int:
    return len((cache / "calls").read_text().split())


def test_the_newest_version_is_fetched_once(tmp_path: Path, programs: Programs) -> None:
    programs(java=JAVA_17, mvn=COUNTS + FETCHES)
    said: list[str] = []
    home = kafka_home(said.append)
    assert home.version == NEWEST
    assert [jar.name for jar in home.jars.iterdir()] == ["kafka.jar"]
    assert "fetching Apache Kafka" in said[0]
    assert kafka_home(said.append) == home
    assert len(said) == 1
    assert calls(tmp_path) == 1
    assert sorted(path.name for path in (tmp_path / "churnwatch").iterdir()) == [f"kafka-{NEWEST}"]


def test_an_older_version_serves_where_the_registry_lacks_the_newest(programs: Programs) -> None:
    lacks = f'if grep -rq ">{NEWEST}<" "$(dirname "${{last#-DoutputDirectory=}}")"; then echo "Could not find artifact"; exit 1; fi'
    programs(java=JAVA_17, mvn=f"for last; do :; done; {lacks}; {FETCHES}")
    assert kafka_home(lambda _: None).version == OLDER


def test_a_failure_is_remembered_for_an_hour_unless_asked_again(tmp_path: Path, programs: Programs) -> None:
    programs(java=JAVA_17, mvn=COUNTS + "echo '[ERROR] Connection refused'; exit 1")
    with pytest.raises(ServiceError, match="Connection refused"):
        kafka_home(lambda _: None)
    with pytest.raises(ServiceError, match=r"within the last hour.*Connection refused"):
        kafka_home(lambda _: None)
    assert calls(tmp_path) == 1
    with pytest.raises(ServiceError, match="Connection refused"):
        kafka_home(lambda _: None, ask_again=True)
    assert calls(tmp_path) == 2
    earlier = time.time() - RETRY_AFTER_S - 1
    os.utime(tmp_path / "churnwatch" / "kafka.failed", (earlier, earlier))
    programs(mvn=FETCHES)
    assert kafka_home(lambda _: None).version == NEWEST
    assert not (tmp_path / "churnwatch" / "kafka.failed").exists()


def test_a_registry_that_does_not_answer_costs_seconds(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_jars, "SILENCE_S_MAX", 0.1)
    programs(java=JAVA_17, mvn="exec sleep 60")
    started = time.monotonic()
    with pytest.raises(ServiceError, match="last sign of progress"):
        kafka_home(lambda _: None)
    assert time.monotonic() - started < 10


def test_an_old_java_is_named_with_what_is_needed(programs: Programs) -> None:
    programs(java="""echo 'openjdk version "11.0.2" 2019-01-15' >&2""")
    with pytest.raises(ServiceError, match=r"Java 17 or newer.*11\.0\.2"):
        kafka_home(lambda _: None)


def test_no_java_is_named_with_what_is_needed(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ServiceError, match="Java 17 or newer on the PATH, and there is none"):
        kafka_home(lambda _: None)
