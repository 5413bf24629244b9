"""Several processes at one backtest: the same bytes as of one, and the same end, whatever happens to them."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from churnwatch import backtest_jobs, cli
from churnwatch.backtest import replay
from churnwatch.backtest_frames import Chunk, Failed, Setup, Wants, frame, from_shard, read_frame
from churnwatch.backtest_jobs import JobError, plain
from churnwatch.settings import Settings
from streams.errors import InputFileError
from tests.unit.churnwatch.test_backtest import NOW_MS, SETTINGS, write
from tests.unit.churnwatch.test_backtest_shards import ALL, LIVELY, assert_same, untidy

OPTIONS = ["--horizon", "14d", "--active", "28d", "--budget", "3", "--burn-in", "28d"]
PATIENCE_S = 60


def test_the_command_writes_the_same_bytes_for_any_number_of_processes(tmp_path: Path) -> None:
    log = write(tmp_path / "untidy.jsonl", untidy(5))
    written = []
    for jobs in (1, 2, 3):
        files = {name: tmp_path / f"{jobs}.{name}" for name in ("predictions", "alerts", "report", "save-model")}
        options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
        out = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(io.StringIO()):
            patch.setenv("CHURNWATCH_MIN_LABELS", "40")
            patch.setenv("CHURNWATCH_ALERT_SALT", "a secret that shards need")
            assert cli.run(["backtest", str(log), *OPTIONS, *options, "--jobs", str(jobs), "--json"]) == 0
        told = json.loads(out.getvalue())
        assert told.pop("seconds") > 0
        written.append((told, [path.read_bytes() for path in files.values()]))
    assert written[0][1][0].count(b"\n") > 100
    assert written[0] == written[1] == written[2]


def test_a_replay_by_two_is_that_by_one(tmp_path: Path) -> None:
    path = write(tmp_path / "untidy.jsonl", untidy(6))
    one, two = (asyncio.run(replay(LIVELY, [path], now_ms=NOW_MS, wants=ALL, jobs=jobs)) for jobs in (1, 2))
    assert len(one.alerts) > 0
    assert_same(one, two)


def test_a_bad_line_ends_all(tmp_path: Path) -> None:
    path = write(tmp_path / "odd.jsonl", [*untidy(2), {"stream": "oders"}])
    with pytest.raises(InputFileError, match="unknown stream"):
        asyncio.run(replay(SETTINGS, [path], now_ms=NOW_MS, jobs=2))


def test_a_killed_process_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "untidy.jsonl", untidy(2))
    started: list[int] = []
    start = backtest_jobs._start

    async def start_and_kill(setup: Setup) -> backtest_jobs._Hand:
        hand = await start(setup)
        started.append(hand.process.pid)
        if setup.number == 1:
            hand.process.kill()
        return hand

    monkeypatch.setattr(backtest_jobs, "_start", start_and_kill)
    with pytest.raises(JobError, match=r"process 2 of the backtest's 2 \(pid \d+\) was killed by SIGKILL"):
        asyncio.run(replay(SETTINGS, [path], now_ms=NOW_MS, jobs=2))
    assert len(started) == 2
    assert not any(map(_runs, started))


def test_a_process_that_cannot_work_says_why() -> None:
    fields = plain(SETTINGS)
    setup = Setup(0, 2, fields, NOW_MS, b"no guide", Wants(), careful=False, quiet=True)
    with _child() as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(frame(setup))
        child.stdin.flush()
        size = int.from_bytes(child.stdout.read(4), "big")
        said = from_shard(child.stdout.read(size))
        assert isinstance(said, Failed)
        assert said.why.startswith(("Corrupt: ", "NewerSchema: "))
        assert child.wait(PATIENCE_S) == 1


def test_a_process_ends_with_its_parent() -> None:
    with _child() as child:
        assert child.stdin is not None
        child.stdin.write(frame(Setup(0, 2, plain(SETTINGS), NOW_MS, None, Wants(), careful=False, quiet=True)))
        child.stdin.close()
        assert child.wait(PATIENCE_S) == 1


def test_ctrl_c_ends_all(tmp_path: Path) -> None:
    log = write(tmp_path / "long.jsonl", untidy(1, customers=300))
    command = [sys.executable, "-m", "churnwatch.cli", "backtest", str(log), "--jobs", "2"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + PATIENCE_S
        while len(children := _children(process.pid)) < 2:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
    assert not any(map(_runs, children))


def test_settings_come_out_as_they_went_in() -> None:
    told = Settings(**plain(LIVELY.model_copy(update={"redis_url": "redis://somewhere:1", "model_file": None})))
    assert told.model_dump() == LIVELY.model_copy(update={"redis_url": "redis://somewhere:1"}).model_dump()
    assert told.alert_salt.get_secret_value() == LIVELY.alert_salt.get_secret_value()


def test_a_frame_that_is_cut_off_is_the_end() -> None:
    whole = frame(Chunk([(0, 1, b"{}")], [], 5))
    assert read_frame(io.BytesIO(whole)) == Chunk([(0, 1, b"{}")], [], 5)
    assert read_frame(io.BytesIO(whole[:-1])) is None
    assert read_frame(io.BytesIO(b"")) is None


@contextmanager
def _child() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "churnwatch.backtest_child"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return list(map(int, path.read_text().split())) if path.exists() else []


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
