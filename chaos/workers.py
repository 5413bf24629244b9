"""A worker in a process of its own, started and stopped as an operator would, frozen, or killed; and what it says of itself."""

import contextlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

STOP_SECONDS_MAX: Final = 60.0
ANSWER_SECONDS_MAX: Final = 5.0

Body = tuple[int, str]
"""Status and text of an HTTP answer; 0 where there was none."""

_MORTAL = """
import os, signal, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
os.execv(sys.argv[1], sys.argv[1:])
"""


def mortal(*command: str | Path) -> list[str]:
    """Give the command that runs another one so that on Linux it dies with its starter, even where that one is killed.

    The process is the command's own: signals reach it, and its exit code is its own.
    """
    return [sys.executable, "-I", "-S", "-c", _MORTAL, *map(str, command)]


WORKER: Final = mortal(sys.executable, "-c", "from churnwatch.cli import main; main()", "worker")


class WorkerProcess:
    """A running worker; `log` is what it said."""

    def __init__(self, environ: dict[str, str], port: int, log: Path) -> None:
        self.port = port
        self.started_s = time.monotonic()
        self._log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(WORKER, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    @property
    def name(self) -> str:
        """What its log is called."""
        return self._log.stem

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def code(self) -> int | None:
        """Its exit code, negative for the signal that ended it; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """As the kernel does when memory is short: no chance to tidy up."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> int:
        """Send SIGTERM, as an orchestrator does, and give its exit code."""
        self._process.terminate()
        return self.wait()

    def leave(self, seconds: float) -> int | None:
        """The same, without a word; None where it has not ended by then."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def wait(self, seconds: float = STOP_SECONDS_MAX) -> int:
        """Wait for its end and give its exit code; raises subprocess.TimeoutExpired."""
        code = self._process.wait(seconds)
        if code:
            # pytest shows it where a test fails.
            sys.stdout.write(f"--- worker {self.port} has ended with {code}\n{self.log[-5000:]}\n")
        return code

    def freeze(self) -> None:
        """Stop it in its tracks, as a machine does that is suspended; `thaw` lets it go on."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def get(self, path: str, seconds: float = ANSWER_SECONDS_MAX) -> Body:
        """Ask its web port."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=seconds) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metrics(self, seconds: float = ANSWER_SECONDS_MAX) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every sample by name and labels (sorted)."""
        families = text_string_to_metric_families(self.get("/metrics", seconds)[1])
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}

    def total(self, name: str) -> float:
        """The sum of a metric over its labels."""
        return sum(value for (metric, _), value in self.metrics().items() if metric == name)

    def clocks(self) -> dict[int, int]:
        """The clocks of the partitions held, in epoch milliseconds."""
        name = "churnwatch_watermark_timestamp_seconds"
        return {
            int(dict(labels)["partition"]): round(value * 1000)
            for (metric, labels), value in self.metrics().items()
            if metric == name
        }

    def events(self) -> dict[str, Counter[str]]:
        """Input topic to outcomes."""
        found: dict[str, Counter[str]] = {}
        for (name, labels), value in self.metrics().items():
            told = dict(labels)
            if name == "churnwatch_events_total" and value:
                found.setdefault(told["topic"], Counter())[told["outcome"]] += int(value)
        return found


def last_words(workers: list[WorkerProcess]) -> str:
    """The ends of the workers' logs."""
    return "\n".join(f"--- {worker.name}\n{worker.log[-3000:]}" for worker in workers)
