"""What the webhook study makes of what arrived, and that its receiver is as bad as it says."""

import http.client
import json
from typing import Any

import pytest

from churnwatch.settings_webhook import secret_key
from churnwatch.webhook_signing import signed
from studies.webhook_receiver import LOOPBACK, Arrived, BadReceiver
from studies.webhook_verdict import Delivered, Stream, delivered_of, figures

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def value(alert_id: str, customer: str) -> bytes:
    return json.dumps({"alert_id": alert_id, "customer_id": customer}).encode()


PUBLISHED = [
    (0, 0, value("a1", "ann")),
    (0, 1, value("a2", "ann")),
    (0, 2, value("a1", "ann")),
    (1, 0, value("b1", "bob")),
]


def arrived(alert_id: str, body: bytes | None = None) -> Arrived:
    body = body or next(held for _, _, held in PUBLISHED if json.loads(held)["alert_id"] == alert_id)
    return Arrived(signed([secret_key(SECRET)], alert_id, 5000, body), body)


def judged(*found: Arrived, killed_at: int = 99, in_flight_max: int = 1) -> Delivered:
    return delivered_of(
        PUBLISHED, found, killed_at, in_flight_max, secret=SECRET, attempts=len(found), dead=0, back_ms=7
    )


def test_all_once_and_in_order_is_good() -> None:
    assert judged(arrived("b1"), arrived("a1"), arrived("a2")) == Delivered(3, 3, 0, 0, 0, 0, 0, 0, 3, 0, 7)


def test_every_fault_is_seen() -> None:
    assert judged(arrived("a1"), arrived("b1")).missing == 1
    assert judged(arrived("a2"), arrived("a1"), arrived("b1")).disordered == 1
    assert judged(arrived("a1"), arrived("a2"), arrived("b1", b"{}")).changed == 1
    plain = Arrived({"webhook-id": "b1"}, value("b1", "bob"))
    assert judged(arrived("a1"), arrived("a2"), plain).forged == 1


def test_only_what_was_in_flight_may_come_again() -> None:
    first = [arrived("a1"), arrived("a2"), arrived("b1")]
    found = judged(*first, arrived("a1"), arrived("a2"), killed_at=3)
    assert (found.repeated, found.repeated_late, found.disordered) == (2, 1, 0)


def streams(*speeds: float, cpu_ms: float = 1.0, core_share: float = 0.95) -> list[Stream]:
    return [Stream(speed, cpu_ms, core_share) for speed in speeds]


GOOD = Delivered(3, 3, 0, 0, 0, 0, 0, 0, 3, 0, 7)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"with_sink": streams(80.0, 80.0)}, ["the stream ran at 0.80"]),
        ({"with_sink": streams(80.0, 80.0), "without": streams(100.0, 70.0)}, []),
        ({"with_sink": streams(80.0, 80.0, core_share=0.3)}, []),
        ({"with_sink": streams(99.0, 99.0, cpu_ms=1.3)}, ["an event took 1.30 times"]),
        ({"with_sink": streams(99.0, 99.0, cpu_ms=1.3, core_share=0.3)}, []),
        ({"same_alerts": False}, ["something else"]),
        ({"delivered": [Delivered(3, 4, 0, 1, 0, 0, 0, 0, 4, 0, 7), GOOD]}, ["1 alerts came twice"]),
        ({"delivered": [GOOD, Delivered(3, 4, 0, 1, 0, 0, 0, 0, 4, 0, 7)]}, []),
        ({"delivered": [GOOD, Delivered(3, 4, 0, 1, 1, 0, 0, 0, 4, 0, 7)]}, ["not in flight"]),
        (
            {"delivered": [Delivered(3, 2, 1, 0, 0, 1, 1, 1, 4, 1, 7), GOOD]},
            ["never", "bytes", "signed", "dead", "order"],
        ),
        ({"delivered": [Delivered(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7), GOOD]}, ["there were no alerts"]),
    ],
)
def test_the_study_says_where_it_falls_short(changes: dict[str, Any], said: list[str]) -> None:
    given: dict[str, Any] = {
        "without": streams(100.0, 99.0),
        "with_sink": streams(98.0, 101.0),
        "delivered": [GOOD, GOOD],
        "same_alerts": True,
    } | changes
    found = figures(given["without"], given["with_sink"], given["delivered"], same_alerts=given["same_alerts"])
    assert len(found.shortcomings) == len(said)
    for line, words in zip(found.shortcomings, said, strict=True):
        assert words in line


def posted(receiver: BadReceiver, alert_id: str) -> int | None:
    """The status of one request; None where there is no answer."""
    connection = http.client.HTTPConnection(LOOPBACK, receiver.port, timeout=0.2)
    try:
        connection.request("POST", "/alerts", b"{}", {"webhook-id": alert_id})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def test_a_receiver_fails_in_every_way_and_comes_back() -> None:
    with BadReceiver() as receiver:
        for mode, status in (("up", 200), ("500", 500), ("cut", None), ("hang", None), ("slow", 200)):
            receiver.mode = mode
            assert posted(receiver, mode) == status
        receiver.refuse = frozenset({"x"})
        assert posted(receiver, "x") == 422
        receiver.away()
        assert posted(receiver, "y") is None
        receiver.come_back()
        assert posted(receiver, "z") == 200
    assert receiver.ids() == ["up", "slow", "z"]
    assert receiver.attempts["y"] == 0
