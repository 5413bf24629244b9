"""One alert on its way, the lane of a partition, and what is counted."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from alerts.alert import encode
from churnwatch import delivery as delivery_module
from churnwatch.alert_list import Filter
from churnwatch.deliver import group_id, terms
from churnwatch.deliver_courier import oldest_seconds
from churnwatch.deliver_lane import WAITING_MAX, Lane
from churnwatch.deliver_metrics import DELIVERING, DeliverMetrics
from churnwatch.deliver_receiver import Receiver
from churnwatch.delivery import Delivery, Known, Terms
from churnwatch.settings import Settings
from churnwatch.webhook_body import Posting
from churnwatch.webhook_client import Answer
from churnwatch.webhook_retry import Backoff
from streams.codec import RawRecord
from streams.deadletter import Undelivered, dead_letter
from tests.unit.churnwatch.test_cli_alerts import ALERT

OK, BUSY, GONE = Answer(200, "200 OK"), Answer(503, "503: busy"), Answer(None, "no answer in time")


class Script:
    """A receiver that answers as written, the last answer for ever; counts seconds as its clock."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.posted: list[str] = []
        self.now = 0.0

    async def post(self, posting: Posting) -> Answer:
        self.posted.append(posting.alert_id)
        self.now += 1.0
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Rig:
    """A delivery with everything around it."""

    def __init__(self, *answers: Answer, wanted: Filter | None = None, give_up_seconds: float = 100.0) -> None:
        self.script = Script(*answers)
        self.buried: list[Undelivered] = []
        self.metrics = DeliverMetrics()
        self.receiver = Receiver("http://x", lambda: self.script.now, 1.0)
        said = Terms(wanted or Filter(), "json", Backoff(1, 2), give_up_seconds, 2)
        self.delivery = Delivery(
            self.script, self.receiver, self._bury, said, self.metrics, lambda: self.script.now, lambda: 0.5
        )

    async def _bury(self, letter: Undelivered) -> None:
        self.buried.append(letter)

    async def settle(self, record: RawRecord, known: Known | None = None, *, leaving: bool = False) -> bool:
        event = asyncio.Event()
        if leaving:
            event.set()
        return await self.delivery.settle(record, known or Known(), event)

    def counted(self, sample: str) -> float:
        text = self.metrics.render(up=True, waiting=0, oldest_seconds=0.0, partitions=1).decode()
        return next(
            float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"churnwatch_webhook_{sample} ")
        )


def record(number: int = 1, value: bytes | None = None, owner: str | None = None) -> RawRecord:
    alert = msgspec.structs.replace(ALERT, alert_id=f"a{number}")
    headers = () if owner is None else (("churnwatch.owner", owner.encode()),)
    return RawRecord("churn.alerts", 2, number, 1000 * number, b"ann", value or encode(alert), headers)


# -- one alert ---------------------------------------------------------------------------------------------------------


async def test_it_is_posted_until_it_is_taken() -> None:
    rig = Rig(BUSY, GONE, Answer(429, "429", 1), Answer(302, "302 Found"), OK)
    assert await rig.settle(record())
    assert rig.script.posted == ["a1"] * 5
    assert not rig.buried
    assert rig.counted('alerts_total{outcome="delivered"}') == 1
    found = {kind: rig.counted(f'attempts_total{{answer="{kind}"}}') for kind in ("2xx", "3xx", "4xx", "5xx", "none")}
    assert found == dict.fromkeys(found, 1.0)


async def test_what_the_receiver_refuses_is_buried_with_its_words() -> None:
    rig = Rig(BUSY, Answer(422, "422: no such customer"))
    assert await rig.settle(record(owner="north"))
    (letter,) = rig.buried
    sent = dead_letter(letter, 0)
    assert (sent.topic, sent.key, sent.value) == ("churn.alerts.dlq", b"ann", record().value)
    headers = dict(sent.headers)
    assert (headers["churnwatch.reason"], headers["churnwatch.owner"]) == (b"refused", b"north")
    assert headers["__connect.errors.exception.message"] == b"422: no such customer"
    assert rig.receiver.up, "it is there"


async def test_it_is_given_up_after_its_time() -> None:
    rig = Rig(GONE, give_up_seconds=5.0)
    assert await rig.settle(record())
    (letter,) = rig.buried
    assert (letter.reason, letter.error) == ("undelivered", "Undelivered")
    assert letter.message == "tried 5 times in 5 s, at last: no answer in time"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{}",
        b"\xff",
        b'{"alert_id": "x"}',
        encode(ALERT).replace(b'"a0"', b'"a\\r\\nx: 1"'),
        encode(ALERT).replace(b'"a0"', b'"a.1"'),
    ],
)
async def test_what_is_no_alert_is_buried_and_never_posted(value: bytes) -> None:
    rig = Rig(OK)
    assert await rig.settle(RawRecord("t", 0, 1, 0, None, value))
    assert rig.buried[0].reason == "malformed"
    assert not rig.script.posted


async def test_an_alert_of_a_newer_schema_waits_in_the_dead_letters_for_an_upgrade() -> None:
    rig = Rig(OK)
    assert await rig.settle(record(value=encode(msgspec.structs.replace(ALERT, schema_version=2))))
    assert "upgrade" in rig.buried[0].message


async def test_within_one_life_an_id_goes_out_once() -> None:
    rig, known = Rig(OK), Known()
    assert await rig.settle(record(), known)
    assert await rig.settle(record(), known)
    assert rig.script.posted == ["a1"]
    assert rig.counted('alerts_total{outcome="repeated"}') == 1


async def test_what_was_refused_may_be_tried_again_by_a_replay() -> None:
    rig, known = Rig(Answer(400, "400"), OK), Known()
    for _ in range(2):
        assert await rig.settle(record(), known)
    assert rig.script.posted == ["a1", "a1"]


async def test_the_filter_knows_the_owner() -> None:
    rig = Rig(OK, wanted=Filter(owners=frozenset({"north"})))
    for number, owner in enumerate(("north", "south", None)):
        assert await rig.settle(record(number, owner=owner))
    assert rig.script.posted == ["a0"]
    assert rig.counted('alerts_total{outcome="filtered"}') == 2


async def test_who_leaves_begins_no_attempt() -> None:
    rig = Rig(OK)
    assert not await rig.settle(record(), leaving=True)
    assert not rig.script.posted


def test_only_so_many_ids_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_module, "KNOWN_MAX", 3)
    known = Known()
    for number in range(5):
        known.add(f"a{number}")
    assert [f"a{number}" in known for number in range(5)] == [False, False, True, True, True]


# -- a lane ------------------------------------------------------------------------------------------------------------


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_lane_is_in_order_and_counts_what_is_settled() -> None:
    seen: list[int] = []
    gate = asyncio.Event()

    async def settle(found: RawRecord, known: Known, leaving: asyncio.Event) -> bool:
        seen.append(found.offset)
        await gate.wait()
        return True

    lane = Lane(0, None, settle, Known(), lambda: None)
    assert lane.room == WAITING_MAX
    lane.put([record(number) for number in (3, 5, 6)])
    await turn()
    assert (seen, lane.done, lane.room, lane.oldest_ms) == ([3], 0, WAITING_MAX - 3, 3000)
    gate.set()
    await turn()
    assert (seen, lane.done, lane.oldest_ms) == ([3, 5, 6], 7, None)
    lane.leave()
    await lane.left(1.0)
    assert lane.task.done()


async def test_who_leaves_finishes_what_is_under_way_and_no_more() -> None:
    gate = asyncio.Event()

    async def settle(found: RawRecord, known: Known, leaving: asyncio.Event) -> bool:
        await gate.wait()
        return True

    lane = Lane(0, 0, settle, Known(), lambda: None)
    lane.put([record(0), record(1)])
    await turn()
    lane.leave()
    gate.set()
    await lane.left(1.0)
    assert lane.done == 1


async def test_an_attempt_that_never_ends_is_dropped() -> None:
    async def settle(found: RawRecord, known: Known, leaving: asyncio.Event) -> bool:
        await asyncio.Event().wait()
        return True

    lane = Lane(4, 4, settle, Known(), lambda: None)
    lane.put([record(4)])
    await turn()
    lane.leave()
    await lane.left(0.0)
    assert (lane.task.cancelled(), lane.done) == (True, 4)


async def test_the_oldest_in_hand_is_told() -> None:
    async def settle(found: RawRecord, known: Known, leaving: asyncio.Event) -> bool:
        await leaving.wait()
        return False

    lanes: Sequence[Lane] = [Lane(0, 0, settle, Known(), lambda: None) for _ in range(3)]
    lanes[0].put([record(5)])
    lanes[1].put([record(3)])
    assert oldest_seconds(lanes, 4500) == 1.5
    assert oldest_seconds(lanes[2:], 4500) == 0.0
    for lane in lanes:
        lane.leave()
        await lane.left(1.0)


# -- settings and metrics ----------------------------------------------------------------------------------------------


def test_settings_say_which_alerts_and_how() -> None:
    settings = Settings(
        webhook_bands="high,critical", webhook_owners=" north, süd ,", webhook_give_up_ms="2h", webhook_name="crm"
    )
    said = terms(settings)
    assert said.wanted == Filter(bands=frozenset({"high", "critical"}), owners=frozenset({"north", "süd"}))
    assert (said.give_up_seconds, said.backoff) == (7200.0, Backoff(1000, 300_000))
    assert group_id(settings) == "churnwatch-crm"


def test_every_metric_is_there_from_the_start() -> None:
    text = DeliverMetrics().render(up=False, waiting=3, oldest_seconds=1.5, partitions=2).decode()
    for metric in DELIVERING:
        assert f"# HELP {metric.name} {metric.meaning}" in text
    assert "churnwatch_webhook_receiver_up 0.0" in text
    assert "_created" not in text
    metrics: Any = DeliverMetrics()
    metrics.attempted(999, 0.1)
    assert 'answer="none"} 1.0' in metrics.render(up=True, waiting=0, oldest_seconds=0.0, partitions=0).decode()
