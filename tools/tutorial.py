"""Types what docs/tutorial.md says, exactly, and looks whether the answers are those that it shows: `make tutorial`.

    python -m tools.tutorial           # in a fresh clone of what is committed, from the set-up on

How the page is read, from top to bottom:

1. A comment before a block says what is special about it: `<!-- file: NAME -->` (put it into this file), `<!-- terminal: NAME -->`
   (type it in a terminal of its own, and do not wait for its end), `<!-- again -->` (type it again until it answers as shown),
   `<!-- set-up -->` (what a test with services of its own leaves out). `<!-- ctrl-c: NAME -->` ends what runs in a terminal.
2. A block of `sh` is typed line by line into bash. A line that fails ends the tutorial.
3. A block of `text` shows lines of the answer. Each must be there, up to numbers, ids and bands; … stands for anything.

Exit code 0: every line did what the page says. 1: one did not; it is named, with what came instead.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tools.terminal import Terminal, TutorialError, bare_environment

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "tutorial.md"
ANSWER_S_MAX: Final = 60.0
LINE_S_MAX: Final = 900.0
"""Setting up installs a hundred packages and fetches Kafka."""

MAIN: Final = "main"
STEP: Final = re.compile(
    r"^<!-- (?P<says>[^>]*) -->\n(?:\n|(?=```))|^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
NUMBER: Final = re.compile(r"\d[\d.,:]*")
ID: Final = re.compile(r"\b[0-9a-f]{32}\b")
BAND: Final = re.compile(r"\b(?:watch|high|critical)\b")


@dataclass(frozen=True, slots=True)
class Step:
    """A block of the page: what is special about it, what is to be typed or saved, and what is answered.

    `says` maps the words of the comment to what follows their colon: `{"terminal": "worker"}`.
    """

    language: str
    body: str
    says: Mapping[str, str] = field(default_factory=dict)
    shown: tuple[str, ...] = ()


def steps(page: str) -> list[Step]:
    """Read the page's blocks in order; a comment that stands alone (`ctrl-c`) is a step without a body."""
    found: list[Step] = []
    says: dict[str, str] = {}
    for match in STEP.finditer(page):
        if match["says"] is not None:
            words = (word.partition(":") for word in match["says"].split(", "))
            says = {name.strip(): value.strip() for name, _, value in words}
            if "ctrl-c" in says:
                found.append(Step("", "", says))
                says = {}
        elif match["language"] == "text":
            before = found.pop()
            found.append(Step(before.language, before.body, before.says, tuple(match["body"].splitlines())))
        else:
            found.append(Step(match["language"], match["body"], says))
            says = {}
    return found


def plain(line: str) -> str:
    """Take out of a line what differs from run to run.

    >>> plain("2026-11-09T00:00:00Z  opened  watch  0.69  c-07   713.02 EUR")
    '0-0-0T0Z opened BAND 0 c-0 0 EUR'
    """
    return " ".join(BAND.sub("BAND", NUMBER.sub("0", ID.sub("ID", line))).split())


def missing(shown: Collection[str], answer: str) -> str | None:
    """Give the first line shown that is not in the answer; None where all are."""
    answered = [plain(line) for line in answer.splitlines()]
    for line in shown:
        wanted = re.compile(".*".join(re.escape(part.strip()) for part in plain(line).split("…")))
        if not any(wanted.search(found) for found in answered):
            return line
    return None


@dataclass(slots=True)
class Player:
    """Somebody at a desk with a folder, an environment and as many terminals as the page asks for."""

    folder: Path
    environ: Mapping[str, str]
    terminals: dict[str, Terminal] = field(default_factory=dict)

    def play(self, script: list[Step], leave_out: str | None = None) -> Iterator[tuple[Step, str]]:
        """Do one step after another and yield each with its answer; those whose comment says `leave_out` are left out.

        Raises:
            TutorialError: a line failed, or answered otherwise than shown.
        """
        try:
            for step in script:
                if leave_out is None or leave_out not in step.says:
                    yield step, self._do(step)
        finally:
            for terminal in self.terminals.values():
                terminal.close()

    def _do(self, step: Step) -> str:
        if "ctrl-c" in step.says:
            return self.terminals[step.says["ctrl-c"]].interrupt(ANSWER_S_MAX)
        if "file" in step.says:
            (self.folder / step.says["file"]).write_text(step.body, encoding="utf-8")
            return ""
        name = step.says.get("terminal", MAIN)
        terminal = self.terminals.setdefault(name, Terminal(self.folder, self.environ))
        until = time.monotonic() + ANSWER_S_MAX
        if name != MAIN:
            terminal.type(step.body)
            while (line := missing(step.shown, terminal.said())) and time.monotonic() < until and terminal.runs():
                time.sleep(0.05)
            answer = terminal.said()
        else:
            answer = _typed(terminal, step.body)
            while (line := missing(step.shown, answer)) and "again" in step.says and time.monotonic() < until:
                answer = _typed(terminal, step.body)
        if line is not None:
            raise TutorialError(f"after\n\n{step.body}\nthere is no line like\n\n{line}\n\nbut\n\n{answer}")
        return answer


def _typed(terminal: Terminal, body: str) -> str:
    return "".join(terminal.run(line, LINE_S_MAX) for line in body.splitlines())


def main() -> int:
    """Follow the page in a fresh clone of what is committed; returns the exit code."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="churnwatch-tutorial-") as folder:
        clone = Path(folder) / "churnwatch"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)  # noqa: S607 - the git of PATH
        script = steps((clone / "docs" / "tutorial.md").read_text(encoding="utf-8"))
        try:
            for step, answer in Player(clone, bare_environment()).play(script):
                said = f"save {step.says['file']}" if "file" in step.says else step.body.strip() or "Ctrl-C"
                print(f"[{time.monotonic() - began:5.0f} s] {said}\n{answer}", flush=True)
        except TutorialError as error:
            print(f"tutorial: {error}", file=sys.stderr)
            return 1
        finally:
            holder = [sys.executable, "-m", "tools.services", "down"]
            subprocess.run(holder, cwd=clone, check=False, stdout=subprocess.DEVNULL)
    print(f"tutorial: followed to its end in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
