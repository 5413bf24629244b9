"""The outage guard: a topic that falls silent as a whole is a source that is down, not a mass exodus.

Judged by the event times that the worker's partitions have heard of, so it survives a restart. Live only: a replay ends, and that
is no outage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def silent_topics(
    heard_ms: Iterable[Mapping[str, int]], caught_up: Mapping[str, bool], now_ms: int, silent_ms: int
) -> frozenset[str]:
    """Return the topics that are silent as a whole.

    Args:
        heard_ms: for each partition held, topic to the latest event time heard on it (epoch milliseconds).
        caught_up: topic to whether nothing of it is waiting in Kafka; a backlog is no silence.
        now_ms: the wall clock.
        silent_ms: how long is too long.

    A topic on which nothing was ever heard is one that the business does not use.

    >>> sorted(silent_topics([{"orders": 10, "logins": 90}, {"orders": 20}], {"orders": True, "logins": True}, 100, 50))
    ['orders']
    """
    latest_ms: dict[str, int] = {}
    for heard in heard_ms:
        for topic, at_ms in heard.items():
            latest_ms[topic] = max(at_ms, latest_ms.get(topic, at_ms))
    return frozenset(topic for topic, at_ms in latest_ms.items() if caught_up.get(topic) and now_ms - at_ms > silent_ms)
