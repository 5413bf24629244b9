"""Event files: JSON Lines, one event a line with its `stream`, plain or compressed (`.gz`, `.zst`). Read in constant memory."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Final

import msgspec
import zstandard

from streams.errors import InputFileError
from streams.events import STREAMS

LINE_BYTES_MAX: Final = 16 << 20
"""No event is nearly as long; a file without line ends must not be read into memory whole."""


class _Routed(msgspec.Struct):
    stream: str


_decoder = msgspec.json.Decoder(_Routed)


def read_events(
    path: Path, *, bytes_read: Callable[[int], None] | None = None, bad: Callable[[InputFileError], None] | None = None
) -> Iterator[tuple[int, str, bytes]]:
    """Yield (line number from 1, stream, line) for each line; empty lines are passed over.

    Args:
        path: the file; its ending decides how it is read.
        bytes_read: told now and then how many bytes of the file itself have been read.
        bad: told of lines that name no known stream, which are then passed over; without it the first one raises.

    Raises:
        InputFileError: the file cannot be read, or a line is bad.
    """
    try:
        with path.open("rb") as file, closing(_lines(path, file)) as lines:
            for number, line in enumerate(iter(lambda: lines.readline(LINE_BYTES_MAX), b""), start=1):
                if bytes_read is not None and number % 1000 == 0:
                    bytes_read(file.tell())
                text = line.strip()
                if not text:
                    continue
                try:
                    yield number, _stream_of(path, number, text), text
                except InputFileError as error:
                    if bad is None:
                        raise
                    bad(error)
    except (OSError, EOFError, zstandard.ZstdError) as error:
        raise InputFileError(path, None, f"cannot be read: {error}; events are JSON Lines, plain, .gz or .zst") from error


def _lines(path: Path, file: IO[bytes]) -> io.BufferedIOBase:
    if path.suffix == ".gz":
        return gzip.GzipFile(fileobj=file)
    if path.suffix == ".zst":
        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True))
    return io.BufferedReader(file)  # type: ignore[arg-type]  # a binary file is the raw stream asked for


def _stream_of(path: Path, number: int, line: bytes) -> str:
    if len(line) >= LINE_BYTES_MAX:
        raise InputFileError(path, number, f"a line may have {LINE_BYTES_MAX} bytes at most")
    try:
        stream = _decoder.decode(line).stream
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputFileError(path, number, f"not an event: {error}") from error
    if stream not in STREAMS:
        raise InputFileError(path, number, f"unknown stream {stream[:40]!r}; there are {', '.join(STREAMS)}")
    return stream
