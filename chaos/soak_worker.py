"""The worker under observation: `churnwatch worker` that ends with whoever started it and, if asked, says what its memory holds.

    python -m chaos.soak_worker [FOLDER]

With a folder it writes there, every `EVERY_SECONDS`, which objects there are, what Python's allocator and the C library hold, and from
where memory was taken that the look before did not find (tracemalloc: it costs half the speed and a quarter more memory, so it is for
finding a leak, not for measuring one).
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import signal
import sys
import threading
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Final

from churnwatch.cli import main as churnwatch

EVERY_SECONDS: Final = 60.0
FRAMES: Final = 4
TOP: Final = 40
PR_SET_PDEATHSIG: Final = 1


def die_with_parent() -> None:
    """Ask Linux to kill this process when its starter is gone; elsewhere it is on its own."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _watch(folder: Path, stop: threading.Event) -> None:
    before: tracemalloc.Snapshot | None = None
    number = 0
    if not stop.wait(EVERY_SECONDS):
        tracemalloc.start(FRAMES)  # not sooner: what was imported is of no interest, and tracing it takes a minute
    while not stop.wait(EVERY_SECONDS):
        snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(False, tracemalloc.__file__)])
        lines = [f"traced {tracemalloc.get_traced_memory()}", f"gc {gc.get_count()} {gc.get_stats()}"]
        kinds = Counter(type(found).__qualname__ for found in gc.get_objects())
        lines += [f"{count:>10} {kind}" for kind, count in kinds.most_common(TOP)]
        if before is not None:
            for line in snapshot.compare_to(before, "traceback")[:TOP]:
                lines += [f"{line.size_diff:+} B in {line.count_diff:+}, {line.size} in all", *line.traceback.format()]
        before = snapshot
        (folder / f"memory-{number:03d}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        _c_library(folder / f"malloc-{number:03d}.xml")
        number += 1


def _c_library(path: Path) -> None:
    """What glibc's allocator holds, arena by arena."""
    with contextlib.suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.fopen.restype = ctypes.c_void_p
        stream = ctypes.c_void_p(libc.fopen(str(path).encode(), b"w"))
        libc.malloc_info(0, stream)
        libc.fclose(stream)


def main() -> None:
    """Run the worker."""
    die_with_parent()
    stop = threading.Event()
    folders = sys.argv[1:]
    if folders:
        threading.Thread(target=_watch, args=(Path(folders[0]), stop), daemon=True).start()
    sys.argv[1:] = ["worker"]
    try:
        churnwatch()
    finally:
        stop.set()


if __name__ == "__main__":
    main()
