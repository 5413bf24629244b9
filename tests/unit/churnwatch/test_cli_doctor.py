"""What the doctor makes of what it is told."""

from typing import Any

import pytest

from churnwatch.doctor import Finding, look_at_kafka, look_at_redis, look_at_settings
from churnwatch.kafka import Cluster
from churnwatch.settings import Settings

SETTINGS = Settings(alert_salt="a secret of ours")
COMPLETE = {spec.name: spec.partitions or 6 for spec in SETTINGS.topics().specs()}
HEALTHY: dict[str, Any] = {
    "redis_version": "7.2.0",
    "cluster_enabled": 0,
    "maxmemory_policy": "noeviction",
    "aof_enabled": 1,
    "maxmemory": 100,
    "used_memory": 10,
}


def of_redis(**changes: Any) -> dict[str, Finding]:
    return {finding.what: finding for finding in look_at_redis(SETTINGS, HEALTHY | changes)}


def test_a_healthy_installation_has_nothing_to_do() -> None:
    findings = [
        *look_at_settings(SETTINGS),
        *look_at_kafka(SETTINGS, Cluster(COMPLETE, 1, embedded=False)),
        *look_at_redis(SETTINGS, HEALTHY),
    ]
    assert {finding.status for finding in findings} == {"ok"}
    assert not any(finding.advice for finding in findings)


@pytest.mark.parametrize(
    ("info", "what", "status"),
    [
        ({"maxmemory_policy": "allkeys-lru"}, "redis eviction", "fail"),
        ({"maxmemory_policy": None}, "redis eviction", "warn"),
        ({"aof_enabled": 0}, "redis persistence", "warn"),
        ({"cluster_enabled": 1}, "redis cluster", "fail"),
        ({"used_memory": 90}, "redis memory", "warn"),
    ],
)
def test_what_is_wrong_with_redis_is_said_with_what_to_do(info: dict[str, Any], what: str, status: str) -> None:
    finding = of_redis(**info)[what]
    assert finding.status == status
    assert finding.advice


def test_a_server_that_tells_nothing_is_not_accused_of_anything() -> None:
    assert {finding.status for finding in look_at_redis(SETTINGS, {})} == {"ok", "warn"}


def test_missing_topics_fail_and_optional_ones_warn() -> None:
    partitions = {name: n for name, n in COMPLETE.items() if name not in {"customer.orders", "customer.profiles"}}
    status = {f.what: f.status for f in look_at_kafka(SETTINGS, Cluster(partitions, 1, embedded=False))}
    assert status["topic customer.orders"] == "fail"
    assert status["topic customer.profiles"] == "warn"


def test_the_in_process_broker_is_not_for_real_use() -> None:
    findings = list(look_at_kafka(SETTINGS, Cluster({}, 1, embedded=True)))
    assert findings[0].status == "warn"
    assert "fail" not in {finding.status for finding in findings}


def test_single_copies_on_a_cluster_are_pointed_out() -> None:
    whats = {finding.what for finding in look_at_kafka(SETTINGS, Cluster(COMPLETE, 3, embedded=False))}
    assert "replication" in whats


def test_risky_settings_are_pointed_out() -> None:
    risky = Settings(kafka_security_protocol="SASL_PLAINTEXT", kafka_sasl_username="u", kafka_sasl_password="p")
    assert {finding.what for finding in look_at_settings(risky)} == {"settings", "holdout", "kafka access"}
