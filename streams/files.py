"""Event files: JSON Lines, one event a line with its `stream`, plain or compressed (`.gz`, `.zst`). Read in constant memory."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from streams.errors import InputFileError
from streams.events import STREAMS
from streams.zstd_file import ZstdFile

LINE_BYTES_MAX: Final = 16 << 20
"""No event is nearly as long; a file without line ends must not be read into memory whole."""

READ_BYTES: Final = 1 << 16
PROGRESS_LINES: Final = 1_000
"""Lines between two reports of progress."""


class Routed(msgspec.Struct, gc=False):
    """What routes a line: its stream, and, as JSON that nobody has looked at yet, whose it is and when it happened (empty: absent)."""

    stream: str
    customer_id: msgspec.Raw = msgspec.Raw()
    occurred_at: msgspec.Raw = msgspec.Raw()


_decoder = msgspec.json.Decoder(Routed)


def read_events(
    path: Path, *, bytes_read: Callable[[int], None] | None = None, bad: Callable[[InputFileError], None] | None = None
) -> Iterator[tuple[int, str, bytes]]:
    """Yield (line number from 1, stream, line) for each line; empty lines are passed over.

    See `read_lines`.
    """
    for number, routed, line in read_lines(path, bytes_read=bytes_read, bad=bad):
        yield number, routed.stream, line


def read_lines(
    path: Path, *, bytes_read: Callable[[int], None] | None = None, bad: Callable[[InputFileError], None] | None = None
) -> Iterator[tuple[int, Routed, bytes]]:
    """Yield (line number from 1, what routes it, line) for each line; empty lines are passed over.

    Only what is needed to route a line is looked at: whether it is the event it claims to be is for `streams.codec` to say.

    Args:
        path: the file; its ending decides how it is read.
        bytes_read: told now and then, and at the end, how many bytes of the file itself (compressed, if it is) have been read.
        bad: told of lines that name no known stream or are too long, which are then passed over; without it the first one raises.

    Raises:
        InputFileError: the file cannot be read, or a line is bad.
    """
    try:
        with path.open("rb") as file, closing(_uncompressed(path, file)) as reader:
            for number, line in enumerate(_lines(reader), start=1):
                if text := line.strip():
                    try:
                        yield number, _routed(path, number, text), text
                    except InputFileError as error:
                        if bad is None:
                            raise
                        # Whoever keeps the error would keep, by its traceback, this frame and a line of up to 16 MiB.
                        error.__cause__ = error.__context__ = None
                        bad(error.with_traceback(None))
                if bytes_read is not None and number % PROGRESS_LINES == 0:
                    bytes_read(file.tell())
            if bytes_read is not None:
                bytes_read(file.tell())
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise InputFileError(
            path, None, f"cannot be read ({error}): events are JSON Lines, plain, .gz or .zst"
        ) from error


def _uncompressed(path: Path, file: io.BufferedReader) -> io.BufferedIOBase:
    if path.suffix == ".gz":
        return gzip.GzipFile(fileobj=file)
    if path.suffix == ".zst":
        return io.BufferedReader(ZstdFile(file), READ_BYTES)
    return file


def _lines(reader: io.BufferedIOBase) -> Iterator[bytes]:
    """Yield every line; of one that is too long only the beginning, longer than allowed by one byte."""
    while line := reader.readline(LINE_BYTES_MAX + 1):
        yield line
        if len(line) > LINE_BYTES_MAX:
            while line and not line.endswith(b"\n"):
                line = reader.readline(LINE_BYTES_MAX)


def _routed(path: Path, number: int, line: bytes) -> Routed:
    if len(line) > LINE_BYTES_MAX:
        raise InputFileError(path, number, f"a line may have {LINE_BYTES_MAX} bytes at most")
    try:
        routed = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputFileError(path, number, f"not an event with its stream: {error}") from error
    if routed.stream not in STREAMS:
        raise InputFileError(path, number, f"unknown stream {routed.stream[:40]!r}; there are {', '.join(STREAMS)}")
    return routed
