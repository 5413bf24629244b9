"""The outage guard: a topic that falls silent as a whole is a source that is down, not a mass exodus.

Judged by the event times that the worker's partitions have heard of, so it survives a restart. Live only: a replay ends, and that
is no outage. Silence is not believed from the first moment on (`agents.clock`); here is decided when it is *called* an outage.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from streams.time import iso

log = logging.getLogger("churnwatch.sources")

WAITING: Final = "Nobody is taken for silent there: wake-ups, their alerts and labels wait until something comes"


def latest_heard(heard_ms: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the latest event time of each topic over the partitions that `heard_ms` is of.

    >>> latest_heard([{"orders": 10, "logins": 90}, {"orders": 20}])
    {'orders': 20, 'logins': 90}
    """
    latest_ms: dict[str, int] = {}
    for heard in heard_ms:
        for topic, at_ms in heard.items():
            latest_ms[topic] = max(at_ms, latest_ms.get(topic, at_ms))
    return latest_ms


def silent_topics(
    heard_ms: Mapping[str, int], caught_up: Mapping[str, bool], now_ms: int, silent_ms: int
) -> frozenset[str]:
    """Return the topics that are silent as a whole.

    Args:
        heard_ms: topic to the latest event time heard on it (`latest_heard`).
        caught_up: topic to whether nothing of it is waiting in Kafka; a backlog is no silence.
        now_ms: the wall clock.
        silent_ms: how long is too long.

    A topic on which nothing was ever heard is one that the business does not use.

    >>> silent_topics({"orders": 20, "logins": 90}, {"orders": True, "logins": True}, 100, 50)
    frozenset({'orders'})
    """
    return frozenset(topic for topic, at_ms in heard_ms.items() if caught_up.get(topic) and now_ms - at_ms > silent_ms)


class Outages:
    """Says once when an outage begins, and once when it ends.

    Args:
        telling: the topics by which customers are judged silent; how the operator names them is `setting`'s business.
        silent_ms: how long a topic must be silent for it to be an outage.
    """

    def __init__(self, telling: frozenset[str], setting: str, silent_ms: int) -> None:
        self._telling = telling
        self._setting = setting
        self._silent_ms = silent_ms
        self._down_ms: dict[str, int] = {}

    def note(self, heard_ms: Mapping[str, int], silent: frozenset[str], now_ms: int) -> None:
        """Take in what was heard latest of each topic, and which are silent as a whole."""
        for topic in sorted(silent - self._down_ms.keys()):
            self._down_ms[topic] = heard_ms[topic]
            log.warning(
                "Nothing has come on %s since %s: its source counts as down%s",
                topic,
                iso(heard_ms[topic]),
                f". {WAITING}. Take it out of {self._setting} if it was switched off for good"
                if topic in self._telling
                else "",
            )
        for topic, since_ms in list(self._down_ms.items()):
            # Of a backlog that has only begun to come the latest is still old.
            if topic in heard_ms and now_ms - heard_ms[topic] <= self._silent_ms:
                del self._down_ms[topic]
                log.info("%s is heard again; before, nothing had come since %s", topic, iso(since_ms))
        for topic in self._down_ms.keys() - heard_ms.keys():
            del self._down_ms[topic]  # the partitions that knew of it are another worker's now
