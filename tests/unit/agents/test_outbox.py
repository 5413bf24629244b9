"""The outbox: said in order, tried until acknowledged, forgotten only then."""

import asyncio
from collections.abc import Sequence

import pytest

from agents.outbox import Outbox, decode_outgoing, encode_outgoing
from streams.errors import Corrupt
from streams.outgoing import Outgoing


def message(number: int) -> Outgoing:
    return Outgoing("topic", b"key", b"%d" % number, [("name", b"value")], number)


class Broker:
    """Takes what is published; `gate` holds the acknowledgement back."""

    def __init__(self) -> None:
        self.taken: list[Outgoing] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        self.taken.extend(messages)
        await self.gate.wait()


@pytest.mark.parametrize("sent", [message(1), Outgoing("t", None, None), Outgoing("t", b"", b"", [], 0)])
def test_a_message_survives_the_store_byte_for_byte(sent: Outgoing) -> None:
    assert decode_outgoing(encode_outgoing(sent)) == sent
    assert encode_outgoing(decode_outgoing(encode_outgoing(sent))) == encode_outgoing(sent)


@pytest.mark.parametrize("entry", [b"", b"\xc1", b"\x93\x01\x02\x03", b"\x90"])
def test_a_damaged_entry_is_named_with_advice(entry: bytes) -> None:
    with pytest.raises(Corrupt, match="outbox"):
        decode_outgoing(entry)


async def test_what_is_acknowledged_is_settled_until_it_is_trimmed() -> None:
    broker = Broker()
    outbox = Outbox(broker)
    heard: list[int] = []
    outbox.add([message(1), message(2)], lambda: heard.append(1))
    outbox.add([], lambda: heard.append(0))
    outbox.add([message(3)])
    assert (outbox.pending, outbox.settled) == (3, 0)
    await outbox.flush()
    assert broker.taken == [message(1), message(2), message(3)]
    assert (outbox.pending, outbox.settled, heard) == (0, 3, [1, 0])
    outbox.trimmed(2)
    assert outbox.settled == 1


async def test_nothing_is_settled_before_it_is_acknowledged() -> None:
    broker = Broker()
    broker.gate.clear()
    outbox = Outbox(broker)
    task = asyncio.create_task(outbox.run())
    outbox.add([message(1)])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (broker.taken, outbox.pending, outbox.settled) == ([message(1)], 1, 0)
    broker.gate.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (outbox.pending, outbox.settled) == (0, 1)
    task.cancel()


async def test_what_is_read_from_the_store_again_while_it_is_on_its_way_is_said_again() -> None:
    broker = Broker()
    broker.gate.clear()
    outbox = Outbox(broker)
    task = asyncio.create_task(outbox.flush())
    outbox.add([message(1)])
    outbox.clear()
    await asyncio.sleep(0)
    assert (outbox.pending, broker.taken) == (0, [])
    await task
    outbox.add([message(1), message(2)])
    task = asyncio.create_task(outbox.flush())
    await asyncio.sleep(0)
    outbox.clear()  # the partition is opened anew; the messages above have not been acknowledged yet
    outbox.add([message(1), message(2)])
    broker.gate.set()
    await task
    assert broker.taken == [message(1), message(2)] * 2
    assert (outbox.pending, outbox.settled) == (0, 2)


async def test_steps_that_say_nothing_do_not_pile_up_behind_one_that_waits() -> None:
    outbox = Outbox(Broker())
    heard: list[int] = []
    outbox.add([message(1)], lambda: heard.append(0))
    for step in range(1, 1_000):
        outbox.add([], lambda step=step: heard.append(step))  # type: ignore[misc]
    assert len(outbox._waiting) == 2
    await outbox.flush()
    assert heard == [0, 999]


async def test_what_steps_say_while_kafka_is_slow_goes_out_together() -> None:
    broker = Broker()
    broker.gate.clear()
    outbox = Outbox(broker)
    heard: list[int] = []
    outbox.add([message(0)], lambda: heard.append(0))
    task = asyncio.create_task(outbox.flush())
    await asyncio.sleep(0)
    for step in range(1, 4):
        outbox.add([message(step)], lambda step=step: heard.append(step))  # type: ignore[misc]
        outbox.add([], lambda step=step: heard.append(-step))  # type: ignore[misc]
    assert broker.taken == [message(0)]
    first, broker.gate = broker.gate, asyncio.Event()
    first.set()
    await asyncio.sleep(0)
    assert broker.taken == [message(number) for number in range(4)]
    outbox.add([], lambda: heard.append(-4))  # it speaks for the one that waits behind them as well
    broker.gate.set()
    await task
    assert (heard, outbox.pending, outbox.settled) == ([0, 1, -1, 2, -2, 3, -4], 0, 4)
