"""The ledger is read from the Redis that the learner has written to, and `churnwatch kpi` tells it."""

import asyncio
import json

import pytest

from churnwatch import cli
from churnwatch.learner_access import open_learner_store
from churnwatch.ledger_read import read_ledger
from churnwatch.redis_client import open_redis
from churnwatch.settings import Settings
from models.store import LearnerCommit
from tests.unit.churnwatch.test_ledger_read import a_state


@pytest.fixture
def settings(redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("CHURNWATCH_REDIS_URL", redis_url)
    monkeypatch.setenv("CHURNWATCH_REDIS_NAMESPACE", namespace)
    return Settings()


def test_what_the_learner_stored_is_read(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert asyncio.run(read_ledger(settings)).months == {}

    async def learn() -> None:
        async with open_redis(settings) as client:
            store = open_learner_store(client, settings)
            await store.open()
            await store.commit(LearnerCommit(a_state(), 9, None))
            # Reading claims nothing: the learner's next commit is not refused.
            assert (await read_ledger(settings)).months == {"1997-05": {"opened|loyal": 3}}
            await store.commit(LearnerCommit(a_state(), 10, None))
            await store.close()

    asyncio.run(learn())
    assert cli.run(["kpi", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["months"] == ["1997-05"]


def test_a_redis_that_does_not_answer_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHURNWATCH_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("CHURNWATCH_REDIS_TIMEOUT", "200ms")
    assert cli.run(["kpi"]) == 1
    assert "127.0.0.1:1" in capsys.readouterr().err
