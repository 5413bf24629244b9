"""The sink killed at random, PostgreSQL crashed beside it, while messages keep coming: the tables are those of an undisturbed run.

A few kills; `python -m chaos.bi --kills 20` is the same with as many as one likes.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.bi import torment
from chaos.postgres import Postgres
from churnwatch.settings import Settings
from tests.integration.cli_runner import pointed
from tests.postgres import postgres

__all__ = ["postgres"]

KILLS = 2
SEED = 3
"""Of a crash of PostgreSQL at the second kill."""


@pytest.fixture
def settings(
    real_kafka: str, redis_url: str, topic_prefix: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    yield from pointed(monkeypatch, real_kafka, redis_url, topic_prefix, namespace)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_kills_leave_no_trace(settings: Settings, postgres: Postgres, tmp_path: Path) -> None:
    found = torment(settings, postgres, KILLS, SEED, tmp_path)
    assert found.different == []
    assert (found.kills, found.crashes) == (KILLS, 1)
    assert found.tables > 35
    assert found.rows > 20_000
