"""The receiver that docs/how-to/connect-a-crm.md shows takes what `deliver` signs, once, and nothing else."""

import http.client
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from alerts.alert import encode
from churnwatch.settings_webhook import secret_key
from churnwatch.webhook_signing import signed
from tests.unit.churnwatch.test_cli_alerts import alert

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "connect-a-crm.md"
SECRET, OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_plJ3nmyCDGBKInavdOK15jsl"


def room() -> dict[str, Any]:
    (block,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    shown: dict[str, Any] = {}
    exec(block, shown)
    return shown


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "alerts.db"


@pytest.fixture
def port(database: Path) -> Iterator[int]:
    ready: list[Any] = []

    def serve() -> None:  # SQLite wants its connection used by the thread that made it
        server = room()["receiver"](0, SECRET, database)
        server.RequestHandlerClass.log_message = lambda *_: None
        ready.append(server)
        server.serve_forever(poll_interval=0.01)
        server.server_close()

    thread = Thread(target=serve)
    thread.start()
    while not ready:
        time.sleep(0.01)
    yield ready[0].server_address[1]
    ready[0].shutdown()
    thread.join()


def post(port: int, body: bytes, secret: str, at_ms: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/", body, dict(signed([secret_key(secret)], "a1", at_ms, body)))
    status = connection.getresponse().status
    connection.close()
    return status


def test_an_alert_is_stored_once_and_a_stranger_is_refused(port: int, database: Path) -> None:
    body, now_ms = encode(alert(1)), time.time_ns() // 1_000_000
    assert [post(port, body, SECRET, now_ms) for _ in range(2)] == [204, 204]
    assert post(port, body, OTHER, now_ms) == 401
    assert post(port, body, SECRET, now_ms - 400_000) == 401, "an old request, played again"
    reader = sqlite3.connect(database)
    assert reader.execute("select id, body from alerts").fetchall() == [("a1", body.decode())]
    reader.close()
