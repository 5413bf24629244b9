"""The attacks. Each has a beginning, lasts a while, and has an end, after which everything is as it was; others may go on meanwhile.

`begin` gives `end`; both say in a few words what they did, to whom.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from chaos.arena import DRAIN_SECONDS, SESSION_SECONDS, Arena
from chaos.proxy import Mode, Proxy
from chaos.workers import WorkerProcess

Target = Literal["worker", "redis", "broker", "all"]
"""What an attack is on; one on all of it goes alone."""
LEAVE_SECONDS_MAX: Final = DRAIN_SECONDS + 15.0
"""The drain time, and what taking leave of Kafka may take besides."""


class Stage(Protocol):
    """What attacks have to do with."""

    arena: Arena

    def pick(self) -> WorkerProcess:
        """A worker that is at work; it is no longer counted among those that are."""
        ...

    def start(self) -> WorkerProcess:
        """Another worker, which is counted among those at work."""
        ...

    def pick_all(self) -> list[WorkerProcess]:
        """All workers that are at work; none is counted any more."""
        ...

    def back(self, worker: WorkerProcess) -> None:
        """Count one that was picked among those at work again."""
        ...

    def killed(self, partitions: set[int]) -> None:
        """The worker that held these partitions has just been killed: see when they go on."""
        ...

    def wipe(self) -> None:
        """Take everything out of Redis."""
        ...

    def fault(self, what: str) -> None:
        """Something has happened that must not."""
        ...

    @property
    def troubled(self) -> bool:
        """Whether Kafka or Redis is under attack too, so that a worker cannot be expected to end cleanly."""
        ...


End = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Attack:
    """An attack on `target` that lasts from `least` to `most` seconds."""

    target: Target
    least: float
    most: float
    begin: Callable[[Stage], tuple[str, End]]


def _kill(stage: Stage) -> tuple[str, End]:
    worker = stage.pick()
    held = set(worker.clocks())
    worker.kill()
    stage.killed(held)
    return worker.name, lambda: f"{stage.start().name} instead"


def _freeze(stage: Stage) -> tuple[str, End]:
    worker = stage.pick()
    worker.freeze()

    def thaw() -> str:
        worker.thaw()
        stage.back(worker)
        return "goes on"

    return worker.name, thaw


def ended(stage: Stage, worker: WorkerProcess) -> str:
    """Ask a worker to end; where neither Kafka nor Redis is in trouble it must, with 0 and in time."""
    troubled, began = stage.troubled, time.monotonic()
    code = worker.leave(LEAVE_SECONDS_MAX)
    seconds = time.monotonic() - began
    if code is None:
        worker.kill()
        stage.fault(f"{worker.name} did not end within {LEAVE_SECONDS_MAX:g} s of SIGTERM")
    elif code and not troubled and not stage.troubled and not _was_ending(worker):
        stage.fault(f"{worker.name} ended with {code} on SIGTERM: {worker.log.strip()[-500:]}")
    return f"{worker.name} ended with {code} after {seconds:.1f} s"


def _was_ending(worker: WorkerProcess) -> bool:
    """Whether it had said by then why it cannot go on: an orchestrator starts another one."""
    last = worker.log.strip().rsplit("\n", 1)[-1]
    return last.startswith("churnwatch: ") and "this is a bug" not in last


def _terminate(stage: Stage) -> tuple[str, End]:
    return ended(stage, stage.pick()), lambda: f"{stage.start().name} instead"


def _join(stage: Stage) -> tuple[str, End]:
    worker = stage.start()
    return worker.name, lambda: ended(stage, stage.pick())


def _broker(end: Callable[[Arena], None]) -> Callable[[Stage], tuple[str, End]]:
    def begin(stage: Stage) -> tuple[str, End]:
        end(stage.arena)

        def start() -> str:
            stage.arena.kafka.start()
            return "up again"

        return "down", start

    return begin


def _redis(end: Callable[[Arena], None]) -> Callable[[Stage], tuple[str, End]]:
    def begin(stage: Stage) -> tuple[str, End]:
        end(stage.arena)

        def start() -> str:
            stage.arena.redis.start()
            return "up again"

        return "down", start

    return begin


def _line(proxy: Callable[[Arena], Proxy], mode: Mode) -> Callable[[Stage], tuple[str, End]]:
    def begin(stage: Stage) -> tuple[str, End]:
        proxy(stage.arena).switch(mode)

        def clear() -> str:
            proxy(stage.arena).switch("pass")
            return "clear"

        return "", clear

    return begin


def _to_redis(arena: Arena) -> Proxy:
    return arena.redis_proxy


def _to_kafka(arena: Arena) -> Proxy:
    return arena.kafka_proxy


def _wipe(stage: Stage) -> tuple[str, End]:
    stage.wipe()
    return "", lambda: "all of it"


def _wipe_asleep(stage: Stage) -> tuple[str, End]:
    workers = stage.pick_all()
    for worker in workers:
        worker.kill()
    stage.wipe()
    return "with every worker killed", lambda: f"{', '.join(stage.start().name for _ in workers)} instead"


ATTACKS: Final[Mapping[str, Attack]] = {
    "kill": Attack("worker", 0.0, 4.0, _kill),
    "freeze": Attack("worker", 3 * SESSION_SECONDS, 3 * SESSION_SECONDS + 1, _freeze),
    "terminate": Attack("worker", 0.0, 3.0, _terminate),
    "join": Attack("worker", 3.0, 8.0, _join),
    "broker-restart": Attack("broker", 0.0, 1.0, _broker(lambda arena: arena.kafka.stop())),
    "broker-kill": Attack("broker", 0.0, 3.0, _broker(lambda arena: arena.kafka.kill())),
    "kafka-stall": Attack("broker", 1.0, 6.0, _line(_to_kafka, "stall")),
    "kafka-cut": Attack("broker", 0.0, 3.0, _line(_to_kafka, "cut")),
    "kafka-slow": Attack("broker", 2.0, 5.0, _line(_to_kafka, "slow")),
    "kafka-mute": Attack("broker", 1.0, 4.0, _line(_to_kafka, "mute")),
    "redis-restart": Attack("redis", 0.0, 3.0, _redis(lambda arena: arena.redis.stop())),
    "redis-kill": Attack("redis", 0.0, 3.0, _redis(lambda arena: arena.redis.kill())),
    "redis-stall": Attack("redis", 0.5, 5.0, _line(_to_redis, "stall")),
    "redis-cut": Attack("redis", 0.0, 3.0, _line(_to_redis, "cut")),
    "redis-slow": Attack("redis", 2.0, 5.0, _line(_to_redis, "slow")),
    "redis-mute": Attack("redis", 0.2, 3.0, _line(_to_redis, "mute")),
    "redis-wipe": Attack("redis", 0.0, 0.0, _wipe),
    "redis-wipe-asleep": Attack("all", 0.0, 1.0, _wipe_asleep),
}
