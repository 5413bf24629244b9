"""Faust as a worker uses it: group membership, rebalancing, agents and the web server; no tables, no producer, no leader."""

from __future__ import annotations

from typing import Any, Final

import faust
from yarl import URL

from churnwatch.kafka import client_options
from churnwatch.settings import Settings
from churnwatch.vitals import REBALANCE_MS
from streams.transport import ChunkTopic

STREAM_BUFFER_CHUNKS: Final = 64

COLLECTED_BYTES: Final = 1 << 20
"""Of a broker's partitions together: more than a live worker can take in within the time that it waits."""


def brokers(settings: Settings) -> list[URL]:
    """The brokers to start from, in Faust's way of writing."""
    return [URL(f"kafka://{address.strip()}") for address in settings.kafka_bootstrap.split(",")]


def faust_app(settings: Settings, scratch: str) -> faust.App:
    """The app of one worker; `scratch` is a folder, which Faust wants though nothing of ours is kept in files."""
    app = faust.App(
        group_id(settings),
        broker=brokers(settings),
        store="memory://",
        datadir=scratch,
        web_host=settings.web_host,
        web_bind=settings.web_host,
        web_port=settings.web_port,
        Topic=ChunkTopic,
        autodiscover=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        stream_buffer_maxsize=STREAM_BUFFER_CHUNKS,
        broker_commit_interval=1.0,
        producer_acks=1,
    )
    # Nothing is sent through Faust; its producer knows neither TLS nor passwords of ours, and would end the worker.
    app.boot_strategy.enable_kafka_producer = False
    return app


def group_id(settings: Settings) -> str:
    """The consumer group; a learner on its own is its own group, so as not to take part when the partitions are dealt out."""
    return settings.kafka_group_id + ("-learner" if settings.worker_role == "learner" else "")


def consumer_options(settings: Settings) -> dict[str, Any]:
    """What the worker's consumers are made with: the member of the group, and the one that reads."""
    session_ms = settings.kafka_session_ms
    return client_options(settings) | {
        "request_timeout_ms": 40_000,
        # What was taken back in an aborted transaction has not happened.
        "isolation_level": "read_committed",
        "session_timeout_ms": session_ms,
        "heartbeat_interval_ms": session_ms // 4,
        "rebalance_timeout_ms": REBALANCE_MS,
        "group_instance_id": settings.kafka_instance_id,
        # That the worker moves is watched per partition (`agents.health`).
        "max_poll_interval_ms": 86_400_000,
        "max_poll_records": settings.chunk_events_max,
        "max_partition_fetch_bytes": settings.chunk_bytes_max,
        **_fetching(settings),
        # A leader of the group that saw a broker in its first seconds knows of no partitions, and deals out none until it looks again.
        "metadata_max_age_ms": 10_000,
    }


def _fetching(settings: Settings) -> dict[str, int]:
    """How the brokers are asked for records.

    Every request and every chunk of an answer takes the better part of a millisecond, however little is in it. Asked for anything at
    all, brokers answer a live worker hundreds of times a second, and the core that should work on events is busy with asking.
    So they collect for a while; of a backlog there is enough to be handed over at once.
    """
    if settings.clock == "live":
        return {"fetch_min_bytes": COLLECTED_BYTES, "fetch_max_wait_ms": settings.fetch_wait_ms}
    # A replay goes from model to model, where everything waits for what the learner has not got yet. Of a quiet topic the next
    # event may wait for as long, for a partition whose records have just come is not in the next request.
    return {"fetch_max_wait_ms": 10 if settings.learning_enabled else 100}
