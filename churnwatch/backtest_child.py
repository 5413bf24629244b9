"""A process that shares a backtest: one shard, driven over standard input and output. `python -m churnwatch.backtest_child`.

It ends with its last word, or when whoever started it is gone.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from typing import BinaryIO

from churnwatch.backtest_frames import Chunk, End, Failed, Guides, Setup, Told, frame, read_frame
from churnwatch.backtest_route import Decoding
from churnwatch.backtest_shard import Shard, Stumbled
from churnwatch.settings import Settings
from models.guide import decode_guide
from streams.codec import Limits


def main() -> int:
    """Serve one shard; returns the exit code: 1 where it could not be served to the end."""
    # What is printed by mistake must not get between the frames.
    pipe = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    gc.set_threshold(100_000, 50, 50)  # as for the command itself (`cli.main`)
    try:
        setup = read_frame(sys.stdin.buffer)
        if not isinstance(setup, Setup):
            return 1
        if setup.quiet:
            logging.disable(logging.CRITICAL)
        try:
            return 0 if serve(setup, sys.stdin.buffer, pipe) else 1
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent is to say it
            pipe.write(frame(Failed(f"{type(error).__name__}: {error}", isinstance(error, Stumbled))))
            pipe.flush()
            return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), pipe.fileno())  # or the interpreter would complain once more
        return 1


def serve(setup: Setup, source: BinaryIO, pipe: BinaryIO) -> bool:
    """Work off what comes; returns False where the parent went before the end."""
    frozen = None if setup.frozen is None else decode_guide(setup.frozen)
    settings = Settings(**setup.settings)
    limits = Limits(settings.value_bytes_max, settings.future_tolerance_ms)
    decoding = Decoding(settings.topics(), limits, setup.now_ms)
    shard = Shard(settings, setup.number, setup.shards, setup.now_ms, frozen, setup.wants, careful=setup.careful)
    while not shard.over:
        said = read_frame(source)
        if said is None:
            return False
        if isinstance(said, Chunk):
            shard.take(decoding.piece(said))
        elif isinstance(said, End):
            shard.end(said.until_ms)
        elif isinstance(said, Guides):
            for guide in map(decode_guide, said.guides):
                shard.guides.add(guide.learnt_until_ms, guide)
            if said.finished_ms is not None:
                shard.guides.finished(said.finished_ms)
        while (told := shard.work()) is not None:
            pipe.write(frame(told))
            pipe.flush()
    pipe.writelines(map(frame, shard.rest()))
    pipe.write(frame(Told([], [], {}, {}, 0, 0, over=True)))
    pipe.flush()
    return True


if __name__ == "__main__":
    sys.exit(main())
