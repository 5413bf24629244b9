from typing import Any

import pytest

from churnwatch.faust_app import consumer_options
from churnwatch.settings import Settings


def options(**given: Any) -> dict[str, Any]:
    return consumer_options(Settings(**given))


@pytest.mark.parametrize(
    ("given", "wait_ms"),
    [({"clock": "replay"}, 10), ({"clock": "replay", "learning_enabled": False}, 100), ({"fetch_wait_ms": "80ms"}, 80)],
)
def test_only_a_replay_that_learns_polls_without_pause(given: dict[str, Any], wait_ms: int) -> None:
    assert options(**given)["fetch_max_wait_ms"] == wait_ms


def test_live_brokers_collect_before_they_answer() -> None:
    assert options()["fetch_min_bytes"] > 100_000
    assert "fetch_min_bytes" not in options(clock="replay")


def test_a_worker_has_a_lasting_name_only_where_it_is_given_one() -> None:
    assert options()["group_instance_id"] is None
    assert options(kafka_instance_id="worker-0")["group_instance_id"] == "worker-0"


def test_what_was_taken_back_is_not_read_and_what_is_gone_is_an_error() -> None:
    found = options(kafka_session_ms="12s")
    assert found["isolation_level"] == "read_committed"
    assert found["heartbeat_interval_ms"] * 4 == found["session_timeout_ms"] == 12_000
