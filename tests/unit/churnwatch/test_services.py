"""Which services are started, and that they say what they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from churnwatch import services
from churnwatch.child import ServiceError
from churnwatch.services import start_services


@contextmanager
def _no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path))
        patch.delenv("JAVA_HOME", raising=False)
        yield


def test_auto_takes_the_embedded_ones_where_nothing_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with _no_programs(monkeypatch, tmp_path), start_services("auto", prefer_real_kafka=True) as running:
        assert not running.real_kafka
        assert not running.real_redis
        assert "Java" in running.why_embedded
        assert "redis-server" in running.why_embedded
        assert "fakeredis" in running.description
        with redis.Redis.from_url(running.redis_url) as client:
            assert client.ping()


def test_real_services_that_cannot_be_had_are_an_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (
        _no_programs(monkeypatch, tmp_path),
        pytest.raises(ServiceError, match="Java 17 or newer"),
        start_services("real"),
    ):
        pass


def test_what_was_started_is_stopped_when_the_rest_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []

    class Kafka:
        name = bootstrap = "kafka"

        def stop(self) -> None:
            stopped.append(self.name)

    def no_redis() -> None:
        raise ServiceError("no redis")

    monkeypatch.setattr(services, "EmbeddedKafka", Kafka)
    monkeypatch.setattr(services, "EmbeddedRedis", no_redis)
    with pytest.raises(ServiceError, match="no redis"), start_services("embedded"):
        pass
    assert stopped == ["kafka"]
