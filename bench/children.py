"""Processes of the benchmark: every run has a fresh one, which gets its settings by the environment, as a worker does."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import redis

from bench import fingerprints
from bench.measures import Run, WrongAnswer
from churnwatch.settings import Settings
from churnwatch.settings_load import shown
from churnwatch.settings_sources import ENV_PREFIX, public_name

ROOT: Final = Path(__file__).resolve().parent.parent
BEGIN_SECONDS_MAX: Final = 90
PER_SECOND_MIN: Final = 100
"""Whoever takes in fewer events a second hangs."""

STOP_SECONDS_MAX: Final = 40
LOG_TAIL: Final = 1_000


def environment(settings: Settings) -> dict[str, str]:
    """Give this process's environment with these settings instead of its own."""
    own = {public_name(name): shown(name, getattr(settings, name)) for name in settings.model_fields_set}
    others = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
    return {"OPENBLAS_NUM_THREADS": "1", **others, **own}


def collect_as_the_worker_does() -> None:
    """Set the thresholds of Python's garbage collector as `churnwatch.cli.main` does: they would be worth a sixteenth to whoever has them."""
    gc.set_threshold(100_000, 50, 50)


def run_module(module: str, settings: Settings, argument: str, events: int, *, libraries: Path | None = None) -> Run:
    """Run a module of the benchmark that takes in so many events and prints its `Run` as JSON; raises WrongAnswer where it fails.

    `libraries`: a folder of packages that go before the installed ones.
    """
    command = [sys.executable, "-m", module, argument, str(events)]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(settings) | ({"PYTHONPATH": _before(libraries)} if libraries else {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds_max(events),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise WrongAnswer(f"{module} has not ended within {seconds_max(events):.0f} s") from error
    if done.returncode:
        raise WrongAnswer(f"{module} ended with {done.returncode}: {done.stderr[-2000:]}")
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def _before(libraries: Path) -> str:
    """The path of Python's modules with this folder before all."""
    return os.pathsep.join([str(libraries), *filter(None, [os.environ.get("PYTHONPATH")])])


def seconds_max(events: int) -> float:
    """Give how long a run of so many events may take before it is given up."""
    return BEGIN_SECONDS_MAX + events / PER_SECOND_MIN


@contextmanager
def worker(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `churnwatch worker`, its log in a file; at the end of the block it is killed where it still runs."""
    command = [sys.executable, "-m", "churnwatch.cli", "worker"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env=environment(settings), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        yield process
    except WrongAnswer as error:
        raise WrongAnswer(f"{error}; its log ends: {log.read_text(encoding='utf-8')[-LOG_TAIL:].strip()}") from error
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def cpu_seconds(process: subprocess.Popen[bytes]) -> float | None:
    """Give the processor time that a running process has had so far; None where the system does not tell (it is Linux that does)."""
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end; raises WrongAnswer unless it does, and well."""
    process.terminate()
    code = process.wait(STOP_SECONDS_MAX)
    if code:
        raise WrongAnswer(f"the worker ended with exit code {code}")


def in_store(settings: Settings) -> dict[str, Any]:
    """Give the fields of a `Run` that are counted in Redis: customers with state, those with a wake-up, the fingerprint of the states."""
    namespace, partitions = settings.redis_namespace, settings.topic_partitions
    with redis.Redis.from_url(settings.redis_url) as client:
        numbers, found = fingerprints.states(client, namespace, partitions)
        timers = sum(int(client.zcard(f"{namespace}:{{{partition}}}:timers")) for partition in range(partitions))
    return {"customers": numbers, "timers": timers, "states": found}
