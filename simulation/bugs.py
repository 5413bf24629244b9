"""Deliberate bugs, each in one place of the production code, and the promise that each breaks.

A checker that has never been seen to fail proves nothing. Every bug changes production code for as long as its context lasts; the
simulation, which knows nothing of them, must notice. The undisturbed run that a seed is held against has the bug too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Change = list[tuple[Any, str, Any]]
"""What is changed: a class or module, the name in it, and what is to stand there."""


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug: what it does, the promise of docs/guarantees.md that it breaks, and how to plant it."""

    name: str
    promise: str
    change: Callable[[], Change]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Production code with the bug."""
        changed = [(owner, name, owner.__dict__.get(name, _INHERITED), what) for owner, name, what in self.change()]
        for owner, name, _, what in changed:
            assert hasattr(owner, name), f"{self.name}: {owner.__name__} has no {name} any more, so nothing is planted"
            setattr(owner, name, what)
        try:
            yield
        finally:
            for owner, name, before, _ in changed:
                if before is _INHERITED:
                    delattr(owner, name)
                else:
                    setattr(owner, name, before)


_INHERITED: Any = object()
BUGS: list[Bug] = []


def bug(promise: str) -> Callable[[Callable[[], Change]], Callable[[], Change]]:
    """Enter a bug into the table, under the function's name."""

    def enter(change: Callable[[], Change]) -> Callable[[], Change]:
        BUGS.append(Bug(change.__name__.replace("_", " "), promise, change))
        return change

    return enter
