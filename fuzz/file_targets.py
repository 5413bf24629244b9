"""What lies in files: event files of every kind, as they are read and published, and the settings."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from pathlib import Path
from typing import Final

import zstandard

from churnwatch import publish_lines as lines
from churnwatch.settings_load import load_settings
from churnwatch.settings_sources import CONFIG_VARIABLE
from fuzz.input_targets import LIMITS, expect
from fuzz.oracle import Parts, Target
from fuzz.samples import NOW_MS, Samples
from streams.events import STREAMS
from streams.files import read_events
from streams.time import INSTANT_MAX_MS

FILE_MEMORY_BYTES_MAX: Final = 192 << 20
"""A line may have 16 MiB, and the block of a compressed file some more."""

PLAIN, GZ, ZST, GZ_MADE, ZST_MADE, GZ_BOMB, ZST_BOMB, LONG = range(8)
"""How a file's content is meant: as it is under each ending, or compressed here (a bomb: over and over), or without line ends."""

MEMORY: Final = Path("/dev", "shm")
"""A million files: in memory where there is a place for it, not on the disk."""

BOMB: Final = b"bomb"
BOMB_BYTES: Final = 24 << 20


def file_targets(made: Samples) -> list[Target]:
    """Return the targets of this file."""
    return [files_target(made), publish_target(made), settings_target(), bombs_target(made)]


class FileOf:
    """Writes a file as an input says, in a folder of its own."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="churnwatch-fuzz-", dir=str(MEMORY) if MEMORY.is_dir() else None
        )

    def __call__(self, mode: bytes, content: bytes) -> Path:
        # A bomb costs as much as a thousand others: only where the sample says so.
        kind = mode[0] % 8 if mode[1:] == BOMB else mode[0] % GZ_BOMB if mode else PLAIN
        ending = {GZ: ".gz", GZ_MADE: ".gz", GZ_BOMB: ".gz", ZST: ".zst", ZST_MADE: ".zst", ZST_BOMB: ".zst"}.get(
            kind, ""
        )
        data = content
        if kind in {GZ_BOMB, ZST_BOMB, LONG}:
            data = (content.replace(b"\n", b" ") or b"x") * (BOMB_BYTES // max(len(content), 1))
        if ending == ".gz" and kind != GZ:
            data = gzip.compress(data, 1)
        elif ending == ".zst" and kind != ZST:
            data = zstandard.ZstdCompressor(level=1).compress(data)
        # Processes share the folder, and each has its own file.
        path = Path(self._folder.name) / f"{os.getpid()}.jsonl{ending}"
        path.write_bytes(data)
        return path


def file_samples(made: Samples) -> list[Parts]:
    """Return short files of every kind, whole and compressed."""
    plain = b"\n".join(made.lines[:6])
    given: list[Parts] = [(bytes((kind,)), plain) for kind in (PLAIN, GZ_MADE, ZST_MADE)]
    given += [(bytes((GZ,)), gzip.compress(plain)), (bytes((ZST,)), zstandard.ZstdCompressor().compress(plain))]
    return [*given, *given]


def files_target(made: Samples) -> Target:
    """The reader of event files: lines, compression, bombs."""
    file_of = FileOf()

    def run(parts: Parts) -> bool:
        bad: list[object] = []
        count = 0
        for number, stream, line in read_events(file_of(*parts), bytes_read=lambda _: None, bad=bad.append):
            expect(number > 0 and stream in STREAMS and bool(line.strip()), "a line that is none")
            count += 1
        return count > 0

    return Target("files", file_samples(made), run, 4.0, memory_bytes_max=FILE_MEMORY_BYTES_MAX)


def bombs_target(made: Samples) -> Target:
    """Compressed files that are a thousand times as large when read, and lines without end: few, for each costs a tenth of a second."""
    file_of = FileOf()
    given: list[Parts] = [
        (bytes((kind,)) + BOMB, made.lines[0][:size]) for kind in (GZ_BOMB, ZST_BOMB, LONG) for size in (1, 40, 400)
    ]

    def run(parts: Parts) -> bool:
        bad: list[object] = []
        path = file_of(*parts)
        return sum(1 for _ in read_events(path, bad=bad.append)) > 0

    return Target("bombs", given, run, 0.01, seconds_max=2.0, memory_bytes_max=FILE_MEMORY_BYTES_MAX)


def publish_target(made: Samples) -> Target:
    """Files as `publish --skip-bad --shift-to` reads them, twice, and makes messages of them."""
    file_of = FileOf()

    def run(parts: Parts) -> bool:
        mode, content, shift = parts
        path = file_of(mode[:1], content)
        checked = list(lines.check([path], LIMITS, NOW_MS, skip_bad=True))[-1]
        shift_ms = 0
        if shift and checked.last_ms is not None:
            # As the command does: to an instant that it has read itself.
            shift_ms = min(int.from_bytes(shift[:8], "big"), INSTANT_MAX_MS) - checked.last_ms
        count = 0
        for at_ms, stream, key, value in lines.messages([path], checked.bad, shift_ms):
            json.loads(value)
            expect(len(key) > 0 and stream in STREAMS, "a message without key or stream")
            expect(checked.first_ms is not None and checked.last_ms is not None, "a message of no event")
            expect(
                (checked.first_ms or 0) + shift_ms <= at_ms <= (checked.last_ms or 0) + shift_ms,
                "a message of another time",
            )
            count += 1
        expect(count == checked.total, f"{checked.total} events were checked, {count} made into messages")
        return count > 0

    extended = [
        json.dumps({**json.loads(line), "effective_at": START_TEXT, "note": "x"}).encode() for line in made.lines[:4]
    ]
    given = [
        (mode, content, shift) for mode, content in file_samples(made) for shift in (b"", NOW_MS.to_bytes(8, "big"))
    ]
    given += [(b"\0", b"\n".join(extended), NOW_MS.to_bytes(8, "big"))] * 4
    return Target("publish", given, run, 4.0, memory_bytes_max=FILE_MEMORY_BYTES_MAX)


START_TEXT: Final = "2025-01-06T09:00:00Z"


def settings_target() -> Target:
    """The TOML file of settings."""
    folder = tempfile.TemporaryDirectory(prefix="churnwatch-fuzz-")
    text = b'lateness = "1h"\nclock = "live"\nmin_labels = 500\n[kafka]\nbootstrap = "a:1,b:2"\n[alert]\ndaily_budget = 20.0\nearliness = 0.5\n'

    def run(parts: Parts) -> bool:
        path = Path(folder.name) / f"{os.getpid()}.toml"  # the folder lasts as long as somebody holds it
        path.write_bytes(parts[0])
        before = os.environ.get(CONFIG_VARIABLE)
        os.environ[CONFIG_VARIABLE] = str(path)
        try:
            load_settings()
        finally:
            if before is None:
                del os.environ[CONFIG_VARIABLE]
            else:
                os.environ[CONFIG_VARIABLE] = before
        return True

    return Target("settings", [(text,)], run, 1.0)
