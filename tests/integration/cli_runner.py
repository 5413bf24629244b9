"""Runs commands in this process against the session's services, with topics and keys of one test's own."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterator

import pytest

from churnwatch import cli
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from churnwatch.topic_layout import known_to_brokers

Run = Callable[..., str]


def pointed(
    patch: pytest.MonkeyPatch, bootstrap: str, redis_url: str, prefix: str, namespace: str
) -> Iterator[Settings]:
    """Point the commands' environment at the services, and give the settings that it makes."""
    for name in [name for name in os.environ if name.startswith("CHURNWATCH_")]:
        patch.delenv(name)
    environ = {
        "KAFKA_BOOTSTRAP": bootstrap,
        "REDIS_URL": redis_url,
        "TOPIC_PREFIX": prefix,
        "REDIS_NAMESPACE": namespace,
    }
    for name, value in (environ | {"TOPIC_PARTITIONS": "4", "DEBUG": "off"}).items():
        patch.setenv(f"CHURNWATCH_{name}", value)
    yield load_settings()
    logging.disable(logging.NOTSET)


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    """Give `run(*arguments, code=0)`, which runs a command and gives what it wrote to standard output."""

    def run(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        ended = cli.run(list(arguments))
        said = capsys.readouterr()
        assert ended == code, said.err
        return said.out

    return run


def create_all(create_topics: Callable[..., None], settings: Settings) -> None:
    """Create inputs, alerts, scores and dead letters, with 4 partitions each."""
    topics = settings.topics()
    names = [*topics.inputs.values(), topics.alerts, topics.scores, *map(topics.dlq, topics.inputs.values())]
    create_topics(names)
    asyncio.run(known_to_brokers(settings, names))
