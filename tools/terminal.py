"""A terminal as a program sees it: a bash that is typed into, and all that it has said."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import Final

MARK: Final = "__typed__"
KEPT_CHARS_MAX: Final = 1_000_000


class TutorialError(Exception):
    """What was typed did not do what it should; the text says what and what came instead."""


def bare_environment() -> dict[str, str]:
    """The environment without settings of Churnwatch and without a virtual environment: as a new terminal has it."""
    inside = os.environ.get("VIRTUAL_ENV", "")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("CHURNWATCH_", "VIRTUAL_ENV"))}
    environ.pop("MAKEFLAGS", None)
    environ.pop("MAKELEVEL", None)
    if inside:
        environ["PATH"] = os.pathsep.join(part for part in environ["PATH"].split(os.pathsep) if inside not in part)
    return environ


class Terminal:
    """A bash in a folder. What is typed runs in its order; `said` gives the output of all of it so far."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],  # noqa: S607 - the bash of PATH, as the reader's
            cwd=folder,
            env={**environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._said = ""
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._shell.stdout is not None
        for line in self._shell.stdout:
            self._said = (self._said + line)[-KEPT_CHARS_MAX:]

    def said(self) -> str:
        """Return what has been said so far."""
        return self._said

    def runs(self) -> bool:
        """Tell whether the bash still runs."""
        return self._shell.poll() is None

    def type(self, text: str) -> None:
        """Type lines, and wait for nothing."""
        assert self._shell.stdin is not None
        self._shell.stdin.write(text)
        self._shell.stdin.flush()

    def run(self, line: str, seconds_max: float) -> str:
        """Type a line, wait for its end, and return what it said.

        Raises:
            TutorialError: it ended with another exit code than 0, or not in time.
        """
        before = len(self._said)
        self.type(f"{line}\necho {MARK} $?\n")
        until = time.monotonic() + seconds_max
        while not (ended := self._said[before:].rpartition(f"{MARK} "))[1] or "\n" not in ended[2]:
            if time.monotonic() > until or not self.runs():
                raise TutorialError(f"{line}\ndid not end; it said\n{self._said[before:]}")
            time.sleep(0.02)
        said, _, code = ended
        if code.strip() != "0":
            raise TutorialError(f"{line}\nended with {code.strip()}; it said\n{said}")
        return said

    def interrupt(self, seconds_max: float) -> str:
        """Press Ctrl-C, wait until what ran has ended, and return what it said meanwhile."""
        before = len(self._said)
        if self.runs():
            os.killpg(self._shell.pid, signal.SIGINT)
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        try:
            self._shell.wait(seconds_max)
        except subprocess.TimeoutExpired:
            raise TutorialError(f"did not end on Ctrl-C; it said\n{self._said}") from None
        self._reader.join(1.0)
        return self._said[before:]

    def close(self) -> None:
        """End it, and whatever still runs in it."""
        try:
            os.killpg(self._shell.pid, signal.SIGTERM)
            self._shell.wait(20.0)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.wait()
        self._reader.join(1.0)
        for pipe in (self._shell.stdin, self._shell.stdout):
            if pipe is not None:
                pipe.close()
