"""What docs/alerts.md shows for those who get alerts runs: the consumer on a real topic, the receiver on what `deliver` posts."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.metric_kinds import Metric
from alerts.alert import decode, encode
from chaos.topics import produce
from churnwatch.deliver_metrics import DELIVERING
from churnwatch.settings import Settings
from churnwatch.settings_webhook import secret_key
from churnwatch.webhook_retry import REFUSED
from churnwatch.webhook_signing import signed
from streams.outgoing import Outgoing
from tests.unit.churnwatch.test_cli_alerts import alert

PAGE = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
IMPORTS = "import base64, hmac, json\nfrom aiokafka import AIOKafkaConsumer\n"
SECRET, OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_plJ3nmyCDGBKInavdOK15jsl"
LINES_MAX = 11
"""Ten, and the line that names the function."""


def shown(name: str) -> Any:
    """The function of that name from the page, ready to be called."""
    (block,) = [
        body for body in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) if f"def {name}(" in body
    ]
    assert len(block.splitlines()) <= LINES_MAX
    room: dict[str, Any] = {}
    exec(IMPORTS + block, room)
    return room[name]


async def test_the_consumer_gets_every_alert_once_with_its_owner(
    kafka_bootstrap: str, topic_prefix: str, create_topics: Callable[..., None]
) -> None:
    topic = Settings(topic_prefix=topic_prefix).topics().alerts
    create_topics([topic])
    held_out = alert(3, holdout=True)
    messages = [
        Outgoing(topic, b"c", encode(found), [("churnwatch.owner", b"north")]) for found in (alert(1), held_out)
    ]
    messages += [Outgoing(topic, b"c", encode(found)) for found in (alert(1), alert(2))]
    produce(Settings(kafka_bootstrap=kafka_bootstrap), messages)
    handled: list[tuple[str, str]] = []
    done = asyncio.Event()

    async def handle(found: dict[str, Any], owner: str) -> None:
        handled.append((found["alert_id"], owner))
        if found["alert_id"] == "a2":
            done.set()

    consuming = asyncio.create_task(shown("consume")(kafka_bootstrap, topic, handle))
    try:
        await asyncio.wait_for(done.wait(), 20)
    finally:
        consuming.cancel()
        await asyncio.wait([consuming])
    assert handled == [("a1", "north"), ("a2", "")]


def test_the_receiver_trusts_what_is_signed_and_nothing_else() -> None:
    verified, body = shown("verified"), encode(alert(1))
    keys = [secret_key(SECRET), secret_key(OLD)]
    headers = signed(keys, "a1", 1_700_000_000_000, body)
    for secret in (SECRET, OLD):
        assert verified(headers, body, secret, 1_700_000_100)["alert_id"] == decode(body).alert_id
    assert verified(headers, body + b" ", SECRET, 1_700_000_100) is None
    assert verified(headers | {"webhook-id": "a2"}, body, SECRET, 1_700_000_100) is None
    assert verified(headers, body, SECRET, 1_700_000_400) is None, "an old request, played again"
    assert verified(signed(keys[1:], "a1", 1_700_000_000_000, body), body, SECRET, 1_700_000_000) is None


@pytest.mark.parametrize("metric", DELIVERING, ids=lambda metric: metric.name)
def test_the_page_lists_what_deliver_exports(metric: Metric) -> None:
    assert f"| `{metric.name}` | {metric.meaning} |" in PAGE


def test_the_page_says_which_answers_bury_an_alert() -> None:
    (told,) = re.findall(r"\*\*Or buried:\*\* ([\d, and]+) are about", PAGE)
    assert {int(status) for status in re.findall(r"\d+", told)} == REFUSED
