import json
from typing import Any

import msgspec
import pytest

from alerts.alert import SILENCE, Action, Alert, Reason, Trigger, build, decode, encode, figure, model_stamp
from alerts.episode import Transition, alert_id, episode_id
from streams.errors import Corrupt, NewerSchema
from streams.time import DAY_MS

STEP = Transition(
    "opened", "rise", "c-1", episode_id("c-1", 3, 1), alert_id("c-1", 3, 1, 1), 9862 * DAY_MS + DAY_MS // 2,
    0.83333333, 0.6, "high", "loyal", "model", holdout=False,
)  # fmt: skip
REASON = Reason(
    "engagement", 0.46, "2 logins in 30 days, 11 in the 30 before", {"logins_prev_30d": 11, "logins_30d": 2}
)
ACTION = Action("care_call", "Call", "Because")


def alert(step: Transition = STEP, **more: Any) -> Alert:
    given: dict[str, Any] = {
        "annual_value": 495.0, "currency": "EUR", "reasons": [REASON], "actions": [ACTION],
        "model": model_stamp("model", 17, 18234), "trigger": Trigger("event", "customer.orders", 3, 1812),
    }  # fmt: skip
    return build(step, **given | more)


def test_the_published_format_to_the_letter() -> None:
    expected = (
        '{"schema_version":1,"alert_id":"%s","episode_id":"%s","customer_id":"c-1","kind":"opened",'
        '"raised_at":"1997-01-01T12:00:00Z","risk":0.8333,"threshold":0.6,"band":"high","segment":"loyal",'
        '"value_at_risk":{"amount":412.5,"currency":"EUR","horizon_days":365},'
        '"reasons":[{"code":"engagement","weight":0.46,"evidence":"2 logins in 30 days, 11 in the 30 before",'
        '"features":{"logins_30d":2,"logins_prev_30d":11}}],'
        '"actions":[{"code":"care_call","title":"Call","why":"Because"}],"holdout":false,'
        '"model":{"version":"17","examples":18234},'
        '"trigger":{"kind":"event","topic":"customer.orders","partition":3,"offset":1812}}'
    )
    assert encode(alert()).decode() == expected % (STEP.alert_id, STEP.episode_id)


def test_silence_has_no_place_in_the_log() -> None:
    trigger = json.loads(encode(alert(trigger=SILENCE)))["trigger"]
    assert trigger == {"kind": "silence", "topic": None, "partition": None, "offset": None}


def test_what_is_written_is_read() -> None:
    first = alert(currency=None)
    assert decode(encode(first)) == first
    assert encode(decode(encode(first))) == encode(first)


def test_unknown_fields_are_ignored() -> None:
    assert decode(encode(alert())[:-1] + b',"colour":"red"}') == alert()


@pytest.mark.parametrize("value", [b"", b"{}", b"null", b"\xff\xfe", b'{"schema_version":1}', encode(alert())[:-1]])
def test_what_is_no_alert_is_named_so(value: bytes) -> None:
    with pytest.raises(Corrupt):
        decode(value)


def test_a_newer_format_is_named_so() -> None:
    with pytest.raises(NewerSchema):
        decode(encode(msgspec.structs.replace(alert(), schema_version=2)))


def test_who_is_held_out_gets_no_actions() -> None:
    held = alert(msgspec.structs.replace(STEP, holdout=True))
    assert held.holdout
    assert held.actions == []
    assert held.reasons == [REASON]


def test_the_rule_says_that_it_is_the_rule() -> None:
    assert model_stamp("rule", 3, 120).version == "rule-3"


@pytest.mark.parametrize(("value", "shown"), [(2.0, "2"), (0.123456, "0.1235"), (-0.00001, "0"), (1e9, "1000000000")])
def test_figures_are_short(value: float, shown: str) -> None:
    assert msgspec.json.encode(figure(value)).decode() == shown
