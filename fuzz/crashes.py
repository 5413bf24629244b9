"""Crash inputs: made smaller, kept in a file, run again."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Final

import msgspec

from fuzz.campaign import Crash
from fuzz.oracle import Parts, Target, Verdict, attack
from streams.errors import InputFileError

MINIMISE_SECONDS: Final = 3.0
MINIMISE_TRIES: Final = 400


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    target: str
    seed: int
    index: int
    parts: tuple[bytes, ...]
    problem: str = ""


def minimise(target: Target, crash: Crash) -> Parts:
    """Return parts, no longer than the crash's, that crash at the same place; a few seconds are spent on it at most."""
    parts, deadline, tries = list(crash.parts), time.monotonic() + MINIMISE_SECONDS, 0
    for place in range(len(parts)):
        size = max(len(parts[place]) // 2, 1)
        while size:
            at = 0
            while at < len(parts[place]):
                if time.monotonic() > deadline or tries >= MINIMISE_TRIES:
                    return tuple(parts)
                tries += 1
                smaller = [*parts]
                smaller[place] = parts[place][:at] + parts[place][at + size :]
                if attack(target, tuple(smaller)).place == crash.place:
                    parts = smaller
                else:
                    at += size
            size //= 2
    return tuple(parts)


def keep(folder: Path, crash: Crash, parts: Parts) -> Path:
    """Write a crash input, with where it came from, and return the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    place = re.sub(r"[^A-Za-z0-9]+", "-", crash.place).strip("-")[:60]
    path = folder / f"{crash.target}-{crash.seed}-{crash.index}-{place}.fuzz"
    path.write_bytes(msgspec.msgpack.encode(_Kept(crash.target, crash.seed, crash.index, parts, crash.problem)))
    return path


def load(path: Path) -> tuple[str, Parts]:
    """Return the target's name and the input in a file that `keep` wrote; raises InputFileError where it is none."""
    try:
        kept = msgspec.msgpack.decode(path.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputFileError(path, None, f"not a crash input of this fuzzer: {error}") from error
    return kept.target, kept.parts


def replay(target: Target, parts: Parts) -> Verdict:
    """Run one input again."""
    return attack(target, parts)
