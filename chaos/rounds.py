"""A round: one log, worked off by three workers while they and what they stand on are attacked, and what came of it.

1. The seed decides on the attacks and on how far the work is when each begins. Some begin together, on different targets.
2. A worker that ends by itself is started again, as an orchestrator would do; so is one that an attack has ended.
3. After the last attack everything is up and three workers run; they must come to the end of the log.
4. What is there then is compared with the outcome of the undisturbed run.
"""

import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import redis

from chaos.arena import Arena, now_ms
from chaos.attacks import ATTACKS, End, Target
from chaos.installation import Installation
from chaos.outcome import Outcome, differences, of_workers
from chaos.plan import Moment, plan
from chaos.reference import Case
from chaos.told import Wipe, on_their_way, told
from chaos.workers import WorkerProcess, last_words

WORKERS: Final = 3
MOMENT_SECONDS_MAX: Final = 12.0
"""Where the work does not get to an attack's moment within this time, it begins all the same: the work may be what hangs."""
FINISH_SECONDS_MAX: Final = 120.0
LOOK_SECONDS: Final = 0.1
COMMITTED_SECONDS: Final = 5.0
"""After this time Kafka has been told of what was said where nothing is under attack; a worker tells it every second."""

THAWED_SECONDS: Final = 3.0
EXITS_MAX: Final = 20
UP_SECONDS_MAX: Final = 60.0
UP: Final = "Worker started"


@dataclass(frozen=True, slots=True)
class Done:
    """An attack as it went: seconds since the round's begin, how long it lasted, what was done to whom."""

    kind: str
    at_seconds: float
    seconds: float
    taken: int
    what: str


@dataclass(slots=True)
class Result:
    """A round: `wrong` says what differs from the undisturbed run, or what else must not be; empty where all is well."""

    seed: int
    case: str
    done: list[Done] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    digest: str = ""
    repeated: int = 0
    resumed: list[float] = field(default_factory=list)
    folder: str = ""


class Round:
    """One round in an installation; `run` it."""

    def __init__(self, arena: Arena, lab: Installation, case: Case, seed: int, said: Result) -> None:
        self.arena = arena
        self._lab = lab
        self._case = case
        self._random = Random(-seed)
        self._result = said
        self._at_work: list[WorkerProcess] = []
        self._began, self._began_ms = time.monotonic(), now_ms()
        self._trouble: set[Target] = set()
        self._attacked_s = float("-inf")
        self._wiped: list[Wipe] = []
        self._frozen: list[tuple[int, int, int]] = []
        self._size = Counter(sent.partition for sent in case.log.records)
        self._stopped: list[tuple[float, dict[int, int]]] = []

    # -- what attacks ask for ------------------------------------------------------------------------------------------

    @property
    def troubled(self) -> bool:
        return bool(self._trouble)

    def pick(self) -> WorkerProcess:
        deadline = time.monotonic() + UP_SECONDS_MAX
        while not (up := [worker for worker in self._at_work if UP in worker.log]) and time.monotonic() < deadline:
            self._tend()
            time.sleep(LOOK_SECONDS)
        worker = self._random.choice(up or self._at_work)
        self._at_work.remove(worker)
        return worker

    def pick_all(self) -> list[WorkerProcess]:
        picked, self._at_work = self._at_work, []
        return picked

    def start(self) -> WorkerProcess:
        worker = self._lab.start()
        self._at_work.append(worker)
        return worker

    def back(self, worker: WorkerProcess) -> None:
        self._at_work.append(worker)

    def killed(self, partitions: set[int]) -> None:
        with contextlib.suppress(redis.RedisError):
            taken = self._lab.taken_of()
            left = {p: taken.get(p, 0) for p in partitions if taken.get(p, 0) < self._size[p]}
            if left:
                self._stopped.append((time.monotonic(), left))

    def wipe(self) -> None:
        calm = time.monotonic() - self._attacked_s > COMMITTED_SECONDS
        known, left = told(self._lab.settings), frozenset[str]()
        with contextlib.suppress(redis.RedisError):
            left = on_their_way(self._lab.outbox(), self._lab.settings.topics().alerts)
        self._wiped.append(Wipe(now_ms(), calm, known, left))
        self.arena.wipe()

    def fault(self, what: str) -> None:
        self._result.wrong.append(what)

    # -- the round -----------------------------------------------------------------------------------------------------

    def run(self, moments: Iterable[Moment], wanted: Outcome) -> None:
        """Run it; the result given to the constructor tells how it went."""
        for _ in range(WORKERS):
            self.start()
        for moment in moments:
            self._wait_until_taken(moment.share)
            self._attack(moment)
        while len(self._at_work) < WORKERS:
            self.start()
        if self._finish():
            self._compare(wanted)
        self._result.seconds = time.monotonic() - self._began

    def _attack(self, moment: Moment) -> None:
        going: list[tuple[float, str, float, str, End]] = []
        frozen: list[tuple[int, int]] = []
        taken = self._taken()
        for kind, seconds in sorted(moment.attacks, key=lambda attack: ATTACKS[attack[0]].target, reverse=True):
            target = ATTACKS[kind].target
            self._trouble |= {target} - {"worker", "all"}
            at = time.monotonic()
            what, end = ATTACKS[kind].begin(self)
            going.append((time.monotonic() + seconds, kind, at, what, end))
        # A broker takes its time to start, and what began with its end should not last as long.
        for until, kind, at, what, end in sorted(going, key=lambda attack: (attack[1].startswith("broker"), attack[0])):
            while (left := until - time.monotonic()) > 0:
                self._taken()
                time.sleep(min(left, LOOK_SECONDS))
            how = f"{what}, {end()}" if what else end()
            self._trouble.discard(ATTACKS[kind].target)
            self._attacked_s = now = time.monotonic()
            if kind == "freeze":
                frozen.append((now_ms() - round(1000 * (now - at)), now_ms()))
            self._result.done.append(Done(kind, at - self._began, now - at, taken, how))
        # Where Kafka was away at its thaw it can neither learn of its successor nor say what it had to say before Kafka is back.
        self._frozen += [(from_ms, until_ms, now_ms()) for from_ms, until_ms in frozen]

    def _wait_until_taken(self, share: float) -> None:
        deadline = time.monotonic() + MOMENT_SECONDS_MAX
        while time.monotonic() < deadline and self._taken() < share * len(self._case.log.records):
            self._tend()
            time.sleep(LOOK_SECONDS)

    def _taken(self) -> int:
        with contextlib.suppress(redis.RedisError):
            taken = self._lab.taken_of()
            for since, held in list(self._stopped):
                if all(taken.get(partition, 0) > at for partition, at in held.items()):
                    self._stopped.remove((since, held))
                    self._result.resumed.append(time.monotonic() - since)
            return sum(taken.values())
        return -1

    def _tend(self) -> None:
        """Start again what has ended by itself."""
        for worker in [worker for worker in self._at_work if not worker.running]:
            self._at_work.remove(worker)
            seconds = time.monotonic() - self._began
            last = worker.log.strip().splitlines()[-1:]
            self._result.exits.append(f"{seconds:.0f} s: {worker.name} ended with {worker.code}: {' '.join(last)}")
            if len(self._result.exits) > EXITS_MAX:
                raise RuntimeError("workers keep ending by themselves: " + self._result.exits[-1])
            self.start()

    def _finish(self) -> bool:
        deadline = time.monotonic() + FINISH_SECONDS_MAX
        while time.monotonic() < deadline:
            self._tend()
            with contextlib.suppress(redis.RedisError):
                if self._taken() == len(self._case.log.records) and self._lab.reached(self._case.log.last_ms):
                    return True
            time.sleep(LOOK_SECONDS)
        self.fault(
            f"not at the end {FINISH_SECONDS_MAX:g} s after the last attack: {self._taken()} of "
            f"{len(self._case.log.records)} records taken, {self._lab.metas()}\n{last_words(self._at_work)}"
        )
        return False

    def _compare(self, wanted: Outcome) -> None:
        found = of_workers(self._lab)
        result = self._result
        result.wrong += differences(found, wanted)
        result.digest, result.repeated = found.digest, found.repeated
        if (taken := self._lab.taken()) != len(self._case.log.records):
            self.fault(f"{taken} records taken of {len(self._case.log.records)}")
        if again := self._said_again():
            self.fault(f"{len(again)} alerts were said again long after they had been: {'; '.join(again[:3])}")
        for worker in self._at_work:
            for topic, counts in worker.events().items():
                if counts["read"] != counts.total() - counts["read"]:
                    self.fault(f"{worker.name} has lost count of {topic}: {dict(counts)}")

    def _said_again(self) -> list[str]:
        """Alerts that Kafka knew to be said when Redis was wiped, and came again after it."""
        first_ms: dict[str, int] = {}
        again = []
        for record in sorted(self._lab.alerts(), key=lambda record: int(record.timestamp)):
            alert = json.loads(record.value)
            since_ms = first_ms.setdefault(alert["alert_id"], record.timestamp)
            # What was not yet committed at the first wipe after it may be said again, also where that comes to pass after a second one.
            wiped = next((wiped for wiped in self._wiped if wiped.at_ms > since_ms), None)
            if wiped is None or record.timestamp <= wiped.at_ms or self._sent_by_one_thawed(since_ms, record.timestamp):
                continue
            long_calm = wiped.calm and since_ms + COMMITTED_SECONDS * 1000 < wiped.at_ms
            if long_calm or wiped.covers(record.partition, alert):
                times = [
                    f"{(at_ms - self._began_ms) / 1000:.1f}" for at_ms in (since_ms, wiped.at_ms, record.timestamp)
                ]
                again.append(
                    f"{alert['alert_id']} of partition {record.partition}: "
                    f"said {times[0]} s, wiped {times[1]} s, again {times[2]} s"
                )
        return again

    def _sent_by_one_thawed(self, since_ms: int, again_ms: int) -> bool:
        """Whether a worker may have sent it that was frozen while its successor did: it goes on with its outbox until it learns of that."""
        return any(
            from_ms < since_ms < until_ms <= again_ms < over_ms + THAWED_SECONDS * 1000
            for from_ms, until_ms, over_ms in self._frozen
        )


def run_round(arena: Arena, case: Case, wanted: Outcome, seed: int, kinds: Sequence[str], folder: Path) -> Result:
    """Run the round of this seed; everything that its processes say is in `folder`."""
    result = Result(seed, case.name, folder=str(folder))
    with arena.installation(case.log, folder, **case.steps()) as lab:
        going = Round(arena, lab, case, seed, result)
        try:
            going.run(plan(seed, kinds), wanted)
        except Exception as error:  # noqa: BLE001 - whatever it is, this round is lost, and the next must find all in its place
            result.wrong.append(f"{type(error).__name__}: {error}")
            arena.calm()
    return result
