"""The judge of one input: it must end in a value or in a documented refusal, soon, and in little memory.

Time is processor time (SIGPROF), so that a busy machine accuses nobody; what stands still in C, where no signal is heard, is for the
campaign to see. Memory is judged twice: every input by how much the process grew, some by what Python allocated at its peak.
"""

from __future__ import annotations

import resource
import signal
import time
import traceback
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final, Literal

from streams.errors import ConfigError, Corrupt, InputFileError, NewerSchema, StateError

SECONDS_MAX: Final = 0.5
MEMORY_BYTES_MAX: Final = 64 << 20
ADDRESS_BYTES_MAX: Final = 1 << 30
"""How much address space a process may still ask for: what claims 4 GB gets a MemoryError, which is a crash."""

DOCUMENTED: Final = (Corrupt, NewerSchema, StateError, InputFileError, ConfigError)
REMEDIES: Final = (
    "delete",
    "upgrade",
    "skip",
    "roll back",
    "doctor",
    "pin ",
    "start ",
    "replay",
    "drop",
    "see ",
    "use ",
    "are json lines",
)
ROOT: Final = Path(__file__).resolve().parent.parent

Parts = tuple[bytes, ...]


class TooSlowError(BaseException):
    """The time is up. No Exception, so that nobody who catches those can swallow it."""


class WrongAnswerError(AssertionError):
    """An answer that is neither what it should be nor a documented refusal."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reads bytes.

    Attributes:
        name: as `--target` names it.
        samples: inputs as the product writes them; each a tuple of parts.
        run: reads the parts and works with what they say; returns whether that came to a value (True) or to a refusal that is a
            value, too (False); raises one of `DOCUMENTED`, or it has crashed.
        share: how many of the inputs it gets, in proportion.
        seconds_max, memory_bytes_max: what one input may take.
    """

    name: str
    samples: Sequence[Parts]
    run: Callable[[Parts], bool]
    share: float = 1.0
    seconds_max: float = SECONDS_MAX
    memory_bytes_max: int = MEMORY_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of an input; `place` tells one crash from another, `trace` is for people."""

    outcome: Literal["value", "refused", "crash"]
    seconds: float
    problem: str = ""
    place: str = ""
    trace: str = ""


def attack(target: Target, parts: Parts) -> Verdict:
    """Give an input to a target, and judge."""
    before = _resident_max()
    began = time.process_time()
    problem: BaseException | None = None
    value = False
    try:
        value = _run(target, parts)
    except DOCUMENTED as error:
        problem = _undocumented(error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        problem = error
    seconds = time.process_time() - began
    if problem is None and seconds > target.seconds_max:
        problem = TooSlowError(f"it took {seconds:.2f} s, {target.seconds_max} s are allowed")
    if problem is None and (grown := _resident_max() - before) > target.memory_bytes_max:
        problem = MemoryError(f"the process grew by {grown >> 20} MiB, {target.memory_bytes_max >> 20} are allowed")
    if problem is not None:
        return _crash(problem, seconds)
    return Verdict("value" if value else "refused", seconds)


def peak_bytes(target: Target, parts: Parts) -> int:
    """Return what Python allocated at most for one input that does not crash."""
    tracemalloc.start()
    try:
        attack(target, parts)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@contextmanager
def bounded_memory(more_bytes: int = ADDRESS_BYTES_MAX) -> Iterator[None]:
    """Let this process have so many bytes of address space more than it has now, while the context lasts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = (
        int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) if Path("/proc/self/statm").exists() else 0
    )
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _run(target: Target, parts: Parts) -> bool:
    """Run the target under an alarm.

    Not a context manager: a signal is heard wherever Python calls something, so in between its parts too, and the timer must be
    stopped in any case.
    """
    over = [False]

    def ring(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal calls it
        if not over[0]:
            raise TooSlowError(f"stopped after {target.seconds_max} s of work")

    before = signal.signal(signal.SIGPROF, ring)
    try:
        # It rings again and again: where it rings in a destructor, Python swallows what it raises.
        signal.setitimer(signal.ITIMER_PROF, target.seconds_max, target.seconds_max / 5)
        return target.run(parts)
    finally:
        over[0] = True  # before any call, for after one of those the next signal would be heard
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def _undocumented(error: Exception) -> BaseException | None:
    """A refusal is one of the documented kinds, and says in its sentence what to do."""
    said = str(error)
    if type(error) not in DOCUMENTED:
        return error
    if isinstance(error, StateError) and not any(remedy in said.lower() for remedy in REMEDIES):
        return WrongAnswerError(f"it does not say what to do: {said}")
    return None


def _crash(problem: BaseException, seconds: float) -> Verdict:
    frames = traceback.extract_tb(problem.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(str(ROOT)) and "/.venv/" not in frame.filename]
    product = [frame for frame in own if "/fuzz/" not in frame.filename]
    last = (product or own)[-1] if own else None
    place = f"{Path(last.filename).relative_to(ROOT)}:{last.lineno}" if last is not None else ""
    if isinstance(problem, TooSlowError):
        # Where the alarm rang is chance: the first step into the product tells one slow input from another better.
        place = f"{Path(product[0].filename).relative_to(ROOT)}:{product[0].lineno}" if product else ""
    told = "".join(traceback.format_exception(problem, limit=-12))
    return Verdict(
        "crash", seconds, f"{type(problem).__name__}: {str(problem)[:300]}", f"{type(problem).__name__} {place}", told
    )


def _resident_max() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
