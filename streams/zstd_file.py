"""Reading a Zstandard file as a stream of bytes."""

from __future__ import annotations

import io
from typing import BinaryIO, Final

import zstandard

# A block of 4 bytes may stand for 128 KiB, so this many bytes become 128 MiB at the very worst, and some 60 KiB as a rule.
COMPRESSED_BYTES_MAX: Final = 4096


class ZstdFile(io.RawIOBase):
    """The uncompressed bytes of `file`, frame after frame; wrap it in `io.BufferedReader`.

    zstandard's own reader takes a file that was cut off for a whole one, and half of the events would be missing without a word.
    This one raises EOFError there, as gzip does, and zstandard.ZstdError for what is not Zstandard.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._begun = False
        self._plain = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]  # any writable buffer will do
        while not self._plain:
            compressed = self._next_compressed()
            if not compressed:
                return 0
            self._plain = memoryview(self._frame.decompress(compressed))
        size = min(len(buffer), len(self._plain))
        buffer[:size] = self._plain[:size]
        self._plain = self._plain[size:]
        return size

    def _next_compressed(self) -> bytes:
        rest = b""
        if self._frame.eof:
            rest = self._frame.unused_data
            self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._begun = False
        compressed = rest or self._file.read(COMPRESSED_BYTES_MAX)
        if not compressed and self._begun:
            raise EOFError("Compressed file ended before the end of a frame")
        self._begun = bool(compressed)
        return compressed
