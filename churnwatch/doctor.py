"""Look at everything a worker needs, and say of each thing whether it is right and, if not, what to do.

Nothing is changed, and nothing raises: what cannot be reached is a finding.
"""

import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Final

from redis.asyncio import RedisCluster
from redis.exceptions import RedisError

from agents.meta import Meta, decode_meta
from churnwatch.doctor_log import look_at_log
from churnwatch.finding import Finding
from churnwatch.kafka import Cluster, describe
from churnwatch.learner_access import open_learner_store
from churnwatch.redis_client import open_redis
from churnwatch.settings import Settings
from churnwatch.topic_layout import common_count, layout
from features.redis_client import Client
from features.redis_layout import Layout
from streams.errors import ChurnwatchError, ConfigError, StateError

CLOCK_SECONDS_MAX: Final = 5.0
MEMORY_SHARE_MAX: Final = 0.8


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Yield one finding after another: settings, Kafka, topics, Redis, state, model."""
    for finding in look_at_settings(settings):
        yield finding
    partitions: int | None = None
    cluster: Cluster | None = None
    try:
        cluster = await describe(settings)
    except ChurnwatchError as error:
        yield Finding("kafka", "fail", f"{error}", _advice(error, "start Kafka, or correct CHURNWATCH_KAFKA_BOOTSTRAP"))
    else:
        for finding in look_at_kafka(settings, cluster):
            yield finding
        topics = settings.topics().inputs.values()
        partitions = common_count(cluster.partitions[topic] for topic in topics if topic in cluster.partitions)
    try:
        async with open_redis(settings) as client:
            async for finding in _look_at_redis(settings, client, partitions):
                yield finding
            if cluster is not None and partitions is not None:
                for finding in await look_at_log(settings, cluster, await _metas(settings, client, partitions)):
                    yield finding
    except ChurnwatchError as error:
        yield Finding("redis", "fail", f"{error}", _advice(error, "start Redis, or correct CHURNWATCH_REDIS_URL"))


def _advice(error: ChurnwatchError, away: str) -> str:
    """What to do where a service does not serve: one that is there and refuses is not to be started."""
    return "see docs/access.md" if isinstance(error, ConfigError) else away


def look_at_settings(settings: Settings) -> Iterator[Finding]:
    """Judge what the settings alone tell. Pure."""
    yield Finding("settings", "ok", "they are complete and fit together")
    if settings.alert_salt.get_secret_value() == "churnwatch":
        advice = "set CHURNWATCH_ALERT_SALT, once and for good, so that nobody can work out who is held out"
        yield Finding("holdout", "warn", "the salt is the default one", advice)
    if settings.kafka_security_protocol == "SASL_PLAINTEXT":
        advice = "use CHURNWATCH_KAFKA_SECURITY_PROTOCOL=SASL_SSL"
        yield Finding("kafka access", "warn", "the password goes over the network unencrypted", advice)
    yield from _look_at_webhook(settings)


def _look_at_webhook(settings: Settings) -> Iterator[Finding]:
    """Judge where alerts are posted, if anywhere; the receiver itself is not asked, for it would take it for an alert."""
    if settings.webhook_url is None:
        return
    if settings.webhook_format == "json" and settings.webhook_secret is None:
        advice = "set CHURNWATCH_WEBHOOK_SECRET, so that the receiver can tell an alert from a forgery"
        yield Finding("webhook", "warn", "what is posted is not signed", advice)
    if settings.webhook_url.get_secret_value().startswith("http://"):
        advice = "use an https:// address, unless the receiver is on this machine"
        yield Finding("webhook", "warn", "alerts go over the network unencrypted", advice)


def look_at_kafka(settings: Settings, cluster: Cluster) -> Iterator[Finding]:
    """Judge brokers and topics. Pure."""
    if cluster.embedded:
        advice = "for anything but a demo or a test use a real Kafka"
        yield Finding("kafka", "warn", "librdkafka's in-process broker: it keeps little and forgets all", advice)
    else:
        yield Finding("kafka", "ok", f"{cluster.brokers} brokers answer at {settings.kafka_bootstrap}")
        if cluster.brokers > 1 and settings.topic_replication == 1:
            advice = "set CHURNWATCH_TOPIC_REPLICATION=3 before `churnwatch topics create`"
            yield Finding("replication", "warn", "topics would be created with one copy only", advice)
    good = 0
    for state in layout(settings.topics(), cluster):
        if state.status in {"missing", "wrong"}:
            found = "it does not exist" if state.partitions is None else f"{state.partitions} partitions"
            yield Finding(f"topic {state.name}", "fail", found, state.advice)
        elif state.status == "optional":
            yield Finding(f"topic {state.name}", "warn", "it does not exist; it is optional", state.advice)
        else:
            good += 1
    yield Finding("topics", "ok", f"{good} are as they must be")


async def _look_at_redis(settings: Settings, client: Client, partitions: int | None) -> AsyncIterator[Finding]:
    info = await _info(client)
    for finding in look_at_redis(settings, info):
        yield finding
    skew_seconds = await _skew_seconds(client)
    if skew_seconds is not None and abs(skew_seconds) > CLOCK_SECONDS_MAX:
        found = f"this machine's clock and Redis's differ by {skew_seconds:.0f} s"
        yield Finding("clock", "warn", found, "synchronise the clocks (NTP): live alerts go by the wall clock")
    if partitions is not None:
        async for finding in _look_at_state(settings, client, partitions):
            yield finding
    yield await _look_at_model(settings, client)


def look_at_redis(settings: Settings, info: Mapping[str, Any]) -> Iterator[Finding]:
    """Judge what Redis's INFO says; unknown figures are not judged. Pure."""
    yield Finding("redis", "ok", f"version {info.get('redis_version', 'unknown')} answers at {settings.redis_url}")
    if bool(info.get("cluster_enabled")) != settings.redis_cluster and "cluster_enabled" in info:
        advice = f"set CHURNWATCH_REDIS_CLUSTER={'on' if info['cluster_enabled'] else 'off'}"
        yield Finding("redis cluster", "fail", "the setting does not say what the server is", advice)
    policy = info.get("maxmemory_policy")
    if policy is None:
        yield Finding(
            "redis eviction", "warn", "the policy is not known", "make sure that maxmemory-policy is noeviction"
        )
    elif policy != "noeviction":
        advice = "set maxmemory-policy noeviction: a state that is evicted is lost without a word"
        yield Finding("redis eviction", "fail", f"maxmemory-policy is {policy}", advice)
    else:
        yield Finding("redis eviction", "ok", "noeviction")
    if info.get("aof_enabled"):
        yield Finding("redis persistence", "ok", "append-only file")
    elif "aof_enabled" in info:
        advice = "set appendonly yes, or rely on rebuilding from Kafka as far back as its retention goes"
        yield Finding("redis persistence", "warn", "no append-only file: a restart may lose state", advice)
    most, used = int(info.get("maxmemory", 0)), int(info.get("used_memory", 0))
    if most and used > MEMORY_SHARE_MAX * most:
        advice = "raise maxmemory or add memory: at the limit writes are refused and workers wait"
        yield Finding("redis memory", "warn", f"{used / most:.0%} of maxmemory are used", advice)


async def _info(client: Client) -> dict[str, Any]:
    """Ask for INFO; of a cluster one node's answer stands for all. Empty where the server does not know it."""
    try:
        if isinstance(client, RedisCluster):
            return dict(await client.info(target_nodes=client.get_default_node()))
        return dict(await client.info())
    except RedisError:
        return {}


async def _skew_seconds(client: Client) -> float | None:
    try:
        if isinstance(client, RedisCluster):
            return None
        seconds, microseconds = await client.time()
    except RedisError:
        return None
    return time.time() - (float(seconds) + float(microseconds) / 1e6)


async def _look_at_state(settings: Settings, client: Client, partitions: int) -> AsyncIterator[Finding]:
    """Find state of partitions that there are no more, or not yet: the number has changed, and customers have moved."""
    metas = [Layout(settings.redis_namespace, partition).meta for partition in range(4 * partitions + 16)]
    # One after the other: asked for at once, each would want a connection of its own, thousands where there are many partitions.
    there = [bool(await client.exists(key)) for key in metas]
    if any(there[partitions:]):
        advice = "the number of partitions was changed: choose another CHURNWATCH_REDIS_NAMESPACE, the state is rebuilt from Kafka"
        yield Finding(
            "state", "fail", f"there is state of partitions beyond the {partitions} that the topics have", advice
        )
    elif any(there):
        yield look_at_metas(await _stored(settings, client, partitions))
    else:
        yield Finding("state", "ok", "none yet: it comes with the first worker")


async def _stored(settings: Settings, client: Client, partitions: int) -> list[bytes | None]:
    keys = [Layout(settings.redis_namespace, partition).meta for partition in range(partitions)]
    found = [await client.get(key) for key in keys]
    return [value if isinstance(value, bytes) else None for value in found]


async def _metas(settings: Settings, client: Client, partitions: int) -> list[Meta | None]:
    """The partitions' bookkeeping, none of it where one cannot be read: that is a finding of its own."""
    try:
        values = await _stored(settings, client, partitions)
        return [None if value is None else decode_meta(value) for value in values]
    except StateError:
        return []


def look_at_metas(values: Sequence[bytes | None]) -> Finding:
    """Judge the partitions' stored bookkeeping. Pure."""
    try:
        metas = [decode_meta(value) for value in values if value is not None]
    except StateError as error:
        return Finding("state", "fail", f"{error}", "see docs/state.md")
    unfinished = sum(bool(meta.bootstrap) for meta in metas)
    if unfinished:
        found = f"a bootstrap has not handed over {unfinished} of {len(values)} partitions, and workers wait"
        return Finding("state", "fail", found, "if it does not run any more, run the same `churnwatch bootstrap` again")
    return Finding("state", "ok", f"{len(metas)} of {len(values)} partitions have state")


async def _look_at_model(settings: Settings, client: Client) -> Finding:
    store = open_learner_store(client, settings)
    try:
        head = await store.head()
    except StateError as error:
        return Finding("model", "fail", f"{error}", "upgrade this program, or let the learner start anew")
    finally:
        await store.close()
    if head.pinned:
        advice = "`churnwatch model rollback --newest` when the reason is gone"
        return Finding("model", "warn", f"version {head.pinned} is pinned, {head.version} is the newest", advice)
    if not head.version:
        return Finding("model", "ok", "none yet: until enough labels have matured, alerts rest on the silence rule")
    return Finding("model", "ok", f"version {head.version}")
