"""What is known of the receiver is said when it changes, and wakes who waits when an outage ends."""

import asyncio
import logging

import pytest

from churnwatch.deliver_receiver import QUIET_SECONDS, REMIND_SECONDS, Receiver


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Watched:
    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.now = 100.0
        self.receiver = Receiver("https://crm", lambda: self.now, 1.0)
        caplog.set_level(logging.INFO)

    def at(self, seconds: float, *, fails: bool) -> None:
        self.now = 100.0 + seconds
        if fails:
            self.receiver.failed("503")
        else:
            self.receiver.succeeded()


def test_an_outage_is_said_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(caplog)
    for second in range(600):
        watched.at(second, fails=True)
    watched.at(600, fails=False)
    watched.at(601, fails=False)
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "The receiver at https",
        "The receiver at https",
    ]
    assert "does not take alerts: 503" in caplog.messages[0]
    assert "again, after 600.0 s" in caplog.messages[1]


def test_a_receiver_that_flutters_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(caplog)
    for step in range(1000):
        watched.at(step / 100, fails=step % 2 == 0)
    assert len(caplog.messages) == 2
    watched.at(QUIET_SECONDS + 1, fails=True)
    assert len(caplog.messages) == 3


def test_a_long_outage_is_called_to_mind(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(caplog)
    for minute in range(125):
        watched.at(60.0 * minute, fails=True)
    assert len(caplog.messages) == 1 + int(125 * 60 / REMIND_SECONDS)


async def test_who_waits_is_woken_by_the_end_of_an_outage_only(caplog: pytest.LogCaptureFixture) -> None:
    watched, leaving = Watched(caplog), asyncio.Event()

    async def woken(*, after: float) -> bool:
        watched.at(0.0, fails=True)
        waiting = asyncio.create_task(watched.receiver.wait(60.0, leaving))
        await turn()
        watched.at(after, fails=False)
        await turn()
        done = waiting.done()
        waiting.cancel()
        await asyncio.wait([waiting])
        return done

    assert not await woken(after=0.5), "one bad alert among good ones must keep to its back-off"
    assert await woken(after=11.0)
    leaving.set()
    await watched.receiver.wait(60.0, leaving)
