"""What is seen of the worker and of Redis from outside: /proc, /metrics, /readyz, INFO, the keys by kind."""

from __future__ import annotations

import contextlib
import re
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import redis

from agents.meta import decode_meta
from churnwatch.scrape import Scrape
from churnwatch.settings import Settings

KEYS_PER_PACKET: Final = 500
HTTP_SECONDS_MAX: Final = 10.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. Seconds since the start, bytes, counts; `None` or an empty mapping where it cannot be had."""

    at: float
    phase: str
    sent: int
    taken: int
    day: float
    rss: int
    anonymous: int
    threads: int
    cpu_seconds: float
    customers: float
    open_episodes: float
    outbox: float
    learner_lag: float
    guides: float
    ready: bool
    healthy: bool
    redis_used: int | None = None
    redis_rss: int | None = None
    keys: dict[str, int] = field(default_factory=dict)
    key_bytes: dict[str, int] = field(default_factory=dict)

    @property
    def lag(self) -> int:
        """Events sent and not yet in the state."""
        return max(0, self.sent - self.taken)


class Probe:
    """Looks at one worker and its Redis; `pid` is the worker's, once there is one.

    `real_redis`: whether it is one that can be asked about its memory (fakeredis closes the connection).
    """

    def __init__(self, settings: Settings, *, real_redis: bool) -> None:
        self._real_redis = real_redis
        self.pid: int | None = None
        self._settings = settings
        self._client: Any = redis.Redis.from_url(settings.redis_url)
        self._metas = [f"{settings.redis_namespace}:{{{p}}}:meta" for p in range(settings.topic_partitions)]

    def close(self) -> None:
        """Let go of Redis."""
        self._client.close()

    def taken(self) -> int:
        """Input records that the stored state reflects."""
        metas = [decode_meta(value) for value in self._client.mget(self._metas) if value is not None]
        inputs = set(self._settings.topics().inputs.values())
        return sum(offset for meta in metas for topic, offset in meta.offsets.items() if topic in inputs)

    def answers(self, path: str) -> bool:
        """Whether the worker says yes."""
        return self._get(path)[0] == 200

    def scrape(self) -> Scrape:
        """What /metrics says; nothing where the worker does not answer."""
        return Scrape(self._get("/metrics")[1])

    def _get(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self._settings.web_port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=HTTP_SECONDS_MAX) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def sample(self, at: float, phase: str, sent: int, day: float) -> Sample:
        """Look at everything once."""
        taken, scrape, status = self.taken(), self.scrape(), self._status()
        info, (keys, key_bytes) = self._info(), self._kinds()
        return Sample(
            at,
            phase,
            sent,
            taken,
            day,
            rss=status.get("VmRSS", 0),
            anonymous=status.get("RssAnon", 0),
            threads=status.get("Threads", 0),
            cpu_seconds=scrape.sum("churnwatch_process_cpu_seconds_total"),
            customers=scrape.sum("churnwatch_customers"),
            open_episodes=scrape.sum("churnwatch_open_episodes"),
            outbox=scrape.sum("churnwatch_outbox_pending"),
            learner_lag=scrape.sum("churnwatch_learner_lag_batches"),
            guides=scrape.sum("churnwatch_model_version"),
            ready=self.answers("/readyz"),
            healthy=self.answers("/healthz"),
            redis_used=info.get("used_memory"),
            redis_rss=info.get("used_memory_rss"),
            keys=keys,
            key_bytes=key_bytes,
        )

    def _status(self) -> dict[str, int]:
        """Memory in bytes and threads, as Linux tells them; nothing elsewhere."""
        found: dict[str, int] = {}
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines():
                if match := re.match(r"(VmRSS|RssAnon|Threads):\s+(\d+)( kB)?", line):
                    found[match[1]] = int(match[2]) * (1024 if match[3] else 1)
        return found

    def _info(self) -> dict[str, int]:
        """Redis's own account of its memory."""
        if not self._real_redis:
            return {}
        info = self._client.info("memory")
        return {name: int(info[name]) for name in ("used_memory", "used_memory_rss")}

    def _kinds(self) -> tuple[dict[str, int], dict[str, int]]:
        """Count the keys by kind, and the bytes that Redis says they take."""
        counts: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        if not self._real_redis:
            return {}, {}
        for packet in _packets(self._client.scan_iter(f"{self._settings.redis_namespace}:*", count=1_000)):
            kinds = [kind(key.decode()) for key in packet]
            counts.update(kinds)
            pipeline = self._client.pipeline(transaction=False)
            for key in packet:
                pipeline.memory_usage(key, samples=0)
            for name, size in zip(kinds, pipeline.execute(), strict=True):
                sizes[name] += size or 0
        return dict(counts), dict(sizes)


def kind(key: str) -> str:
    """Say what lies under a key.

    >>> [kind(key) for key in ("cw:{7}:c:ann", "cw:{7}:timers", "cw:{learn}:guide:12", "cw:{learn}:state")]
    ['customers', 'timers', 'guides', 'learner state']
    """
    _, tag, name, *_ = key.split(":", 3)
    if tag == "{learn}":
        return "guides" if name == "guide" else f"learner {name}"
    return "customers" if name == "c" else name


def _packets(keys: Iterable[bytes]) -> Iterator[list[bytes]]:
    left = iter(keys)
    while packet := list(islice(left, KEYS_PER_PACKET)):
        yield packet
