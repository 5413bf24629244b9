"""The folder that an export is written to: whole files only, at any moment, for whoever reads it.

    DIR/fact_alert.parquet …            what readers see: the former export, or this one
    DIR/.churnwatch-export/…            what is being written, gone when it is done

All files are written first and then renamed, one after the other. So a reader never sees half a file; who must not mix two exports
reads when none is running.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from streams.errors import ConfigError

STAGING: Final = ".churnwatch-export"
SUFFIX: Final = ".parquet"
FOREIGN_NAMED_MAX: Final = 3


@contextmanager
def staging(folder: Path, tables: Collection[str]) -> Iterator[Path]:
    """Make the folder where there is none, keep it for oneself, and give the place in it where files are made.

    What a former run that was killed has left there is removed.

    Args:
        folder: the one that the user has named.
        tables: whose files may stand in it.

    Raises:
        ConfigError: it is no folder, cannot be written, holds something else, or another export is writing to it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}; name a folder that can be written") from error
    try:
        _only_one(folder, held)
        _only_ours(folder, tables)
        place = folder / STAGING
        try:
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
        except OSError as error:
            raise ConfigError(f"{folder}: {error.strerror}; name a folder that can be written") from error
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)
    finally:
        os.close(held)


def reveal(place: Path, tables: Collection[str]) -> None:
    """Put the files of all tables where readers look, each at once; they are on the disk before."""
    made = [place / f"{table}{SUFFIX}" for table in tables]
    for path in made:
        _to_disk(path)
    for path in made:
        path.replace(place.parent / path.name)
    _to_disk(place.parent)


def _only_one(folder: Path, held: int) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ConfigError(f"{folder}: another export is writing to it; wait for it, or name another folder") from error


def _only_ours(folder: Path, tables: Collection[str]) -> None:
    ours = {STAGING, *(f"{table}{SUFFIX}" for table in tables)}
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in ours)
    if foreign:
        named = ", ".join(foreign[:FOREIGN_NAMED_MAX])
        more = f" and {len(foreign) - FOREIGN_NAMED_MAX} more" if len(foreign) > FOREIGN_NAMED_MAX else ""
        raise ConfigError(
            f"{folder} holds what is no export of Churnwatch ({named}{more}): name a new or empty folder, "
            "so that nothing of yours is written over"
        )


def _to_disk(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
