"""What the doctor makes of what it is told."""

from typing import Any

import pytest
from aiokafka import TopicPartition

from agents.meta import Meta, Said
from churnwatch.doctor import look_at_kafka, look_at_redis, look_at_settings
from churnwatch.doctor_log import judge, judge_workers, waiting
from churnwatch.finding import Finding
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


# -- the state beside the log -----------------------------------------------------------------------------------------------


def in_log(metas: list[Meta | None], begin: int = 0, end: int = 10, ids: dict[str, str] | None = None) -> list[Finding]:
    places = [TopicPartition("customer.orders", partition) for partition in range(len(metas))]
    return list(judge(metas, dict.fromkeys(places, begin), dict.fromkeys(places, end), ids or {}))


@pytest.mark.parametrize("offset", [0, 3, 10])
def test_a_state_that_kafka_can_go_on_from_is_well(offset: int) -> None:
    (finding,) = in_log([Meta({"customer.orders": offset}), None])
    assert finding.status == "ok"


@pytest.mark.parametrize(("begin", "end"), [(4, 10), (0, 2)])
def test_a_state_whose_next_record_is_gone_is_told_with_what_to_do(begin: int, end: int) -> None:
    (finding,) = in_log([None, Meta({"customer.orders": 3})], begin, end)
    assert (finding.what, finding.status) == ("log customer.orders", "fail")
    assert f"partition 1: the state goes on at offset 3, Kafka holds {begin} to {end}" in finding.found
    assert "CHURNWATCH_REDIS_NAMESPACE" in finding.advice


def test_a_topic_created_anew_is_told_by_its_id() -> None:
    meta = Meta({"customer.orders": 3}, topic_ids={"customer.orders": "a"})
    assert in_log([meta], ids={"customer.orders": "a"})[0].status == "ok"
    (finding,) = in_log([meta], ids={"customer.orders": "b"})
    assert (finding.status, "created anew" in finding.found) == ("fail", True)


def test_a_topic_that_is_gone_is_told_where_a_state_reflects_it() -> None:
    (finding,) = judge([Meta({"customer.orders": 3}), None], {}, {}, {})
    assert (finding.status, "the topic is gone" in finding.found) == ("fail", True)
    assert "restore the topic" in finding.advice


def test_a_state_that_is_built_again_is_told() -> None:
    (finding,) = in_log([Meta({"customer.orders": 3}, said=Said({"customer.orders": 9})), None])
    assert (finding.status, "1 of 2 partitions" in finding.found) == ("warn", True)


def test_what_waits_is_counted_from_where_the_state_is() -> None:
    places = [TopicPartition("customer.orders", partition) for partition in range(2)]
    metas = [Meta({"customer.orders": 7}), None]
    assert waiting(metas, dict.fromkeys(places, 2), dict.fromkeys(places, 10)) == 3 + 8


@pytest.mark.parametrize(("members", "records", "status"), [(2, 5, "ok"), (0, 5, "warn"), (0, 0, "warn")])
def test_without_workers_somebody_is_told(members: int, records: int, status: str) -> None:
    finding = judge_workers(members, records)
    assert finding.status == status
    assert ("churnwatch worker" in finding.advice) is (members == 0)


def test_a_webhook_is_signed_and_encrypted() -> None:
    def told(**changes: Any) -> list[str]:
        found = look_at_settings(Settings(alert_salt="mine", **changes))
        return [finding.found for finding in found if finding.what == "webhook"]

    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert told() == []
    assert told(webhook_url="http://crm/a") == [
        "what is posted is not signed",
        "alerts go over the network unencrypted",
    ]
    assert told(webhook_url="https://crm/a", webhook_secret=secret) == []
    assert told(webhook_url="https://hooks/a", webhook_format="slack") == []
