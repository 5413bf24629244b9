"""The producers that docs/how-to/publish-python.md shows put events where a worker looks for them."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos.topics import read
from churnwatch.kafka import describe
from churnwatch.settings import Settings
from streams.codec import Arrival, Limits, decode
from streams.topics import partition_for

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "publish-python.md"
NOW_MS = 4_102_444_800_000


def shown(library: str) -> Any:
    """The function `publish` of that library's section."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if library in block]
    room: dict[str, Any] = {}
    exec(block, room)
    return room["publish"]


@pytest.mark.parametrize("library", ["confluent_kafka", "aiokafka"])
def test_the_producer_shown_keys_and_partitions_as_kafka_does(
    library: str, kafka_bootstrap: str, topic_prefix: str, create_topics: Callable[..., None]
) -> None:
    settings = Settings(kafka_bootstrap=kafka_bootstrap, topic_prefix=topic_prefix)
    topic = settings.topics().inputs["orders"]
    create_topics([topic])
    fields = {"occurred_at": "2026-03-01T09:30:00Z", "order_id": "1", "amount": 5.0}
    events = [{"event_id": f"o-{number}", "customer_id": f"c-{number}", **fields} for number in range(20)]
    sending = shown(library)(kafka_bootstrap, topic, events)
    if library == "aiokafka":
        asyncio.run(sending)
    partitions = asyncio.run(describe(settings)).count(topic)
    records = read(settings, topic)
    assert len(records) == len(events)
    for record in records:
        assert record.key is not None
        assert record.partition == partition_for(record.key, partitions)
        assert isinstance(found := decode(record, "orders", Limits(), NOW_MS), Arrival), found
