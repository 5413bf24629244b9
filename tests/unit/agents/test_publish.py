"""Publishing: what is not acknowledged goes out again, and nothing that came after it of the same customer stays before it."""

import asyncio
from typing import Any

from aiokafka.errors import KafkaTimeoutError

from agents import publish
from agents.publish import KafkaPublisher
from streams.outgoing import Outgoing


class Producer:
    """Acknowledges at once, but for the numbers in `refused`, once each."""

    def __init__(self, refused: set[int]) -> None:
        self.sent: list[int] = []
        self._refused = refused

    async def send(self, topic: str, value: bytes, key: bytes, partition: int | None, headers: Any) -> Any:
        number = int(value)
        self.sent.append(number)
        answer = asyncio.get_running_loop().create_future()
        if number in self._refused:
            self._refused.discard(number)
            answer.set_exception(KafkaTimeoutError())
        else:
            answer.set_result(None)
        return answer


async def test_what_came_after_a_refused_message_of_the_same_customer_goes_out_again_behind_it(
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(publish, "RETRY_SECONDS", 0.0)
    producer = Producer({1})
    said: list[str] = []
    messages = [Outgoing("alerts", b"ab"[n % 2 : n % 2 + 1], b"%d" % n) for n in range(6)]
    await KafkaPublisher(producer, said.append, lambda _: None).publish(messages)
    assert producer.sent == [0, 1, 2, 3, 4, 5, 1, 3, 5]
    assert len(said) == 1
