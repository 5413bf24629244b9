"""The demo, end to end on a small log and embedded services: it ends with the console on what it has done, and takes everything down."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from chaos.workers import mortal
from churnwatch.child import free_port
from churnwatch.demo_console import seconds_to_serve
from streams.time import DAY_MS, parse_instant

SECONDS_MAX = 100.0
START_MS = parse_instant("2026-01-05T09:00:00Z")
PROGRAM = """
import sys
from pathlib import Path
from churnwatch.demo import DemoOptions, run_demo
from churnwatch.settings_load import load_settings
sys.exit(run_demo(load_settings(), DemoOptions("embedded", Path(sys.argv[1]), serve_seconds=None)))
"""
DEMO = mortal(sys.executable, "-c", PROGRAM)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Five customers who order every day and then no more, and one by whom the clock goes on."""
    days = {f"c{n}": range(12) for n in range(5)} | {"clock": range(0, 40, 10)}
    orders = sorted((day, customer) for customer, ordered in days.items() for day in ordered)
    path = tmp_path / "small.jsonl"
    with path.open("w") as lines:
        for number, (day, customer) in enumerate(orders):
            at_ms = START_MS + day * DAY_MS
            event = {"stream": "orders", "event_id": f"e{number}", "customer_id": customer, "occurred_at": at_ms}
            lines.write(json.dumps(event | {"order_id": f"o{number}", "amount": 20.0, "currency": "EUR"}) + "\n")
    return path


@pytest.fixture
def demo(log: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    said = tmp_path / "said"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CHURNWATCH_")}
    environ["CHURNWATCH_CONSOLE_PORT"] = str(free_port())
    # In a session of its own, as on a terminal: there Ctrl-C is not ignored.
    with said.open("wb") as out:
        process = subprocess.Popen([*DEMO, str(log)], env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        yield process, said
    finally:
        process.kill()
        process.wait()


def children(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    own = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*own, *(grandchild for child in own for grandchild in children(child))]


@pytest.mark.slow
def test_it_ends_with_the_console_and_ctrl_c_takes_everything_down(demo: tuple[subprocess.Popen[bytes], Path]) -> None:
    process, said = demo
    deadline = time.monotonic() + SECONDS_MAX
    while (link := re.search(r"(http://127\.0\.0\.1:\d+)/sign-in\?token=\S+", said.read_text())) is None:
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.1)
    started = children(process.pid)
    assert len(started) >= 4, "a Kafka, a Redis, two workers"
    with httpx2.Client(follow_redirects=True, timeout=20.0) as browser:
        assert browser.get(link[0]).status_code == 200
        found = re.search(r"([\d,]+) opened", said.read_text())
        assert found is not None
        assert int(found[1].replace(",", "")) > 0
        text = browser.get(f"{link[1]}/alerts").text
        customers = re.findall(r'href="/customer\?id=(c\d)"', text)
        assert customers
        assert "Days with an order" in browser.get(f"{link[1]}/customer?id={customers[0]}").text
        assert "orders" in browser.get(f"{link[1]}/today/standing").text
        assert browser.get(f"{link[1]}/operations").text.count('class="band critical"') == 0
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS_MAX) == 0, said.read_text()
    assert "Traceback" not in said.read_text()
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []


@pytest.mark.parametrize(
    ("console", "seconds", "terminal", "served"),
    [(True, None, True, None), (True, None, False, 0.0), (True, 60, False, 60.0), (True, 60, True, 60.0), (False, 60, True, 0.0)],
)  # fmt: skip
def test_only_a_terminal_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, console: bool, seconds: int | None, terminal: bool, served: float | None
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    assert seconds_to_serve(console=console, seconds=seconds) == served
