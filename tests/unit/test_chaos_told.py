"""What a round of chaos counts as said again after Redis was wiped."""

from typing import Any

from agents.meta import Said
from agents.outbox import encode_outgoing
from chaos.told import Wipe, on_their_way
from streams.outgoing import Outgoing

KNOWN = {3: Said({"orders": 10}, clock_ms=0)}


def alert(offset: int) -> dict[str, Any]:
    return {"alert_id": "a1", "trigger": {"topic": "orders", "offset": offset}}


def test_what_kafka_knew_must_not_come_again() -> None:
    wipe = Wipe(0, calm=False, known=KNOWN)
    assert wipe.covers(3, alert(9))
    assert not wipe.covers(3, alert(10))
    assert not wipe.covers(4, alert(9))


def test_what_lay_in_an_outbox_may_be_on_its_way() -> None:
    left = on_their_way(
        [
            encode_outgoing(Outgoing("alerts", b"c", b'{"alert_id": "a1"}')),
            encode_outgoing(Outgoing("alerts.dlq", b"c", b"\xff")),
        ],
        "alerts",
    )
    assert left == {"a1"}
    assert not Wipe(0, calm=False, known=KNOWN, on_their_way=left).covers(3, alert(9))
