"""An installation behind TLS, passwords and access lists: its settings as an operator writes them, its commands, its worker."""

import contextlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from churnwatch import cli
from churnwatch.child import free_port

COMMAND_SECONDS_MAX = 30.0
WORKER_SECONDS_MAX = 90.0
LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line of a command that failed."""
        assert self.code == 1, self
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        assert "this is a bug" not in self.err
        return self.err


class Worker:
    """A `churnwatch worker` in a process of its own; it ends with whoever started it."""

    def __init__(self, environ: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self._log = log
        command = [sys.executable, "-c", "from churnwatch.cli import main; main()", "worker", "--with-parent"]
        own = environ | {"CHURNWATCH_WEB_PORT": str(self.port)}
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, env=own, stdin=subprocess.PIPE, stdout=out, stderr=out)

    @property
    def command_line(self) -> str:
        """What everybody on the machine may see of it."""
        words = ["ps", "-ww", "-p", str(self.process.pid), "-o", "args"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def get(self, path: str) -> str:
        """What the web port answers; "" where it does not (yet)."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()
        except OSError:
            return ""

    def wait_for(self, condition: Callable[[], bool], seconds: float = WORKER_SECONDS_MAX) -> None:
        """Wait until it holds while the worker runs; else fail with what it said."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                state = "still runs" if self.process.poll() is None else f"ended with {self.process.returncode}"
                pytest.fail(f"not within {seconds:g} s; the worker {state}\n{self.log[-4000:]}")
            time.sleep(LOOK_SECONDS)

    def says(self, *words: str) -> None:
        """Wait until one line of its log has all the words."""
        self.wait_for(lambda: any(all(word in line for word in words) for line in self.log.splitlines()))

    def ended(self, seconds: float = COMMAND_SECONDS_MAX) -> int:
        """Its exit code, once it has ended by itself."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the worker has not ended within {seconds:g} s\n{self.log[-4000:]}")

    def terminate(self) -> int:
        self.process.terminate()
        return self.ended(WORKER_SECONDS_MAX)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


@dataclass(frozen=True, slots=True)
class Site:
    """Settings by their outer names without the prefix; `run` and `worker` take changes to them (None takes one away)."""

    settings: dict[str, str]
    scratch: Path
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]
    heard: list[str] = field(default_factory=list)
    """All that commands and workers have written."""

    def environ(self, changed: dict[str, str | None]) -> dict[str, str]:
        bare = {name: value for name, value in os.environ.items() if not name.startswith("CHURNWATCH_")}
        wanted = {name: value for name, value in (self.settings | changed).items() if value is not None}
        return bare | {f"CHURNWATCH_{name}": value for name, value in wanted.items()}

    def run(self, *words: str, **changed: str | None) -> Said:
        """Run a command in this process, and see that it does not take long."""
        environ = self.environ(changed)
        with self.patch.context() as patch:
            for name in [name for name in os.environ if name not in environ]:
                patch.delenv(name)
            for name, value in environ.items():
                patch.setenv(name, value)
            self.capture.readouterr()
            began = time.monotonic()
            code = cli.run(list(words))
            seconds = time.monotonic() - began
            said = self.capture.readouterr()
        self.heard.extend((said.out, said.err))
        assert seconds < COMMAND_SECONDS_MAX, f"{words} took {seconds:.1f} s"
        return Said(code, said.out, said.err)

    def done(self, *words: str, **changed: str | None) -> str:
        """Run a command that must succeed; give what it wrote to standard output."""
        said = self.run(*words, **changed)
        assert said.code == 0, said.out + said.err
        return said.out

    @contextlib.contextmanager
    def worker(self, **changed: str | None) -> Iterator[Worker]:
        """Run a worker for as long as the block lasts."""
        log = self.scratch / f"worker-{time.monotonic_ns()}.log"
        worker = Worker(self.environ(changed), log)
        try:
            yield worker
        finally:
            worker.kill()
            self.heard.append(worker.log)
