"""The generated documents are current, tell the truth about the code, and hold together."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from alerts.alert import SILENCE, Action, Alert, ModelStamp, Reason, ValueAtRisk
from alerts.alert import encode as encode_alert
from alerts.score import Score
from alerts.score import encode as encode_score
from churnwatch import schemas
from streams.codec import Limits, RawRecord, Rejected
from streams.deadletter import dead_letter
from streams.events import STREAMS
from streams.topics import Topics
from tests.bad_events import BAD_EVENTS, CE_BINARY, CE_JSON, FIELDS, BadEvent, envelope, good

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = json.loads(schemas.documents()["asyncapi.json"])
FILES = [path for path in schemas.documents() if path != "asyncapi.json"]
NOT_IN_A_SCHEMA = {"time of the 30th of February", "time in the year 0", "time before 1970"}
"""Instants of the right form that the calendar does not have."""


def schema_of(stream: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(schemas.documents()[f"schemas/{STREAMS[stream].__name__.lower()}.json"])
    return schema


def component(name: str) -> Draft202012Validator:
    return Draft202012Validator({**DOCUMENT, "$ref": f"#/components/schemas/{name}"})


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (held for name, held in part.items() if name == "$ref")
        for held in part.values():
            yield from references(held)
    elif isinstance(part, list):
        for held in part:
            yield from references(held)


def resolve(reference: str, document: Any) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        document = document[step]
    return document


def test_the_documents_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert schemas.main(["--check", str(DOCS)]) == 0, capsys.readouterr().err


def test_what_differs_is_named_and_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert schemas.main(["--check", str(tmp_path)]) == 1
    assert schemas.main([str(tmp_path)]) == 0
    assert schemas.main(["--check", str(tmp_path)]) == 0
    order = tmp_path / "schemas" / "order.json"
    order.write_text(order.read_text().replace('"order_id"', '"order_number"'))
    (tmp_path / "schemas" / "visit.json").write_text("{}")
    capsys.readouterr()
    assert schemas.main(["--check", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "order.json" in told
    assert '+    "order_id": {' in told
    assert '-    "order_number": {' in told
    assert "visit.json: nothing makes this file" in told
    assert "login.json" not in told


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert schemas.main([str(tmp_path / "nowhere")]) == 1
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize("path", FILES)
def test_every_schema_is_one_and_stands_alone(path: str) -> None:
    schema = json.loads(schemas.documents()[path])
    Draft202012Validator.check_schema(schema)
    for reference in references(schema):
        resolve(reference, schema)


@pytest.mark.parametrize("stream", STREAMS)
def test_a_schema_takes_good_events(stream: str) -> None:
    validator = Draft202012Validator(schema_of(stream))
    validator.validate(good(stream))
    validator.validate(good(stream, occurred_at=1_714_557_600_000, unknown={"a": 1}))


def _plain() -> list[BadEvent]:
    plain = [
        bad for bad in BAD_EVENTS if bad.reason == "invalid" and not bad.headers and b"NaN" not in (bad.value or b"")
    ]
    return [bad for bad in plain if bad.name not in NOT_IN_A_SCHEMA]


@pytest.mark.parametrize("bad", _plain(), ids=lambda bad: bad.name)
def test_a_schema_refuses_what_the_code_refuses(bad: BadEvent) -> None:
    assert not Draft202012Validator(schema_of(bad.stream)).is_valid(json.loads(bad.value or b""))


def test_an_alert_and_a_score_are_what_their_schemas_say() -> None:
    alert = Alert(
        schema_version=1,
        alert_id="a",
        episode_id="e",
        customer_id="c",
        kind="opened",
        raised_at="2024-05-01T10:00:00Z",
        risk=0.83,
        threshold=0.6,
        band="high",
        segment="loyal",
        value_at_risk=ValueAtRisk(412.5, None),
        reasons=[Reason("engagement", 0.46, "2 logins in 30 days, 11 in the 30 before", {"logins_30d": 2})],
        actions=[Action("care_call", "Call", "They are worth it")],
        holdout=False,
        model=ModelStamp("7", 18234),
        trigger=SILENCE,
    )
    score = Score(1, "c", "2024-05-01T10:00:00Z", 0.83, "high", None, "loyal", ModelStamp("7", 18234))
    for name, written in (("Alert", encode_alert(alert)), ("Score", encode_score(score))):
        document = json.loads(schemas.documents()[f"schemas/{name.lower()}.json"])
        for validator in (Draft202012Validator(document), component(name)):
            validator.validate(json.loads(written))
            for field in json.loads(written):
                short = {key: held for key, held in json.loads(written).items() if key != field}
                assert not validator.is_valid(short), f"{name} without {field}"


def test_every_topic_is_a_channel() -> None:
    topics = Topics()
    letters = DOCUMENT["channels"]["deadLetters"]
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()} - {letters["address"]}
    addresses |= {letters["address"].format(topic=topic) for topic in letters["parameters"]["topic"]["enum"]}
    assert addresses == {spec.name for spec in topics.specs()}
    compacted = {
        channel["address"]
        for channel in DOCUMENT["channels"].values()
        if "compact"
        in channel.get("bindings", {}).get("kafka", {}).get("topicConfiguration", {}).get("cleanup.policy", [])
    }
    assert compacted == {spec.name for spec in topics.specs() if spec.compacted}


def test_every_channel_has_its_operations() -> None:
    actions = {(held["action"], held["channel"]["$ref"].split("/")[-1]) for held in DOCUMENT["operations"].values()}
    sent = {"alerts", "scores", "examples", "deadLetters"}
    assert actions == {("receive", name) for name in (*STREAMS, "examples")} | {("send", name) for name in sent}


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert found
    for reference in found:
        resolve(reference, DOCUMENT)
    unused = {f"#/components/{kind}/{name}" for kind, held in DOCUMENT["components"].items() for name in held} - found
    assert not unused


def test_every_message_about_a_customer_has_the_key() -> None:
    for name, message in DOCUMENT["components"]["messages"].items():
        assert ("key" in message["bindings"]["kafka"]) == (name not in {"DeadLetter", "ExampleBatch"})


def test_dead_letters_have_the_headers_that_are_described() -> None:
    record = RawRecord("customer.orders", 3, 1812, 0, b"c", b"{", ())
    letter = dead_letter(Rejected(record, "malformed", "ValueError", "not JSON", "decode"), 0)
    headers = DOCUMENT["components"]["messages"]["DeadLetter"]["headers"]
    assert [name for name, _ in letter.headers] == headers["required"] == list(headers["properties"])
    Draft202012Validator(headers).validate({name: held.decode() for name, held in letter.headers})
    reasons = {"malformed", "invalid", "future", "late", "oversized", "mismatched_key", "refused", "undelivered"}
    assert set(headers["properties"]["churnwatch.reason"]["enum"]) == reasons


@pytest.mark.parametrize("stream", STREAMS)
def test_cloud_events_are_described_in_both_modes(stream: str) -> None:
    title = STREAMS[stream].__name__
    component(title).validate(good(stream))
    component(f"{title}Data").validate(FIELDS[stream])
    component(f"{title}Envelope").validate(json.loads(envelope(data=FIELDS[stream])))
    component("CloudEventHeaders").validate({name: held.decode() for name, held in CE_BINARY})
    messages = DOCUMENT["channels"][stream]["messages"]
    assert {title, f"{title}StructuredCloudEvent", f"{title}BinaryCloudEvent"} <= set(messages)


def test_bad_cloud_events_are_refused() -> None:
    structured = [bad for bad in BAD_EVENTS if bad.reason == "invalid" and bad.headers == (CE_JSON,)]
    assert len(structured) > 5
    for bad in structured:
        assert not component("OrderEnvelope").is_valid(json.loads(bad.value or b"")), bad.name


def test_the_limits_are_told() -> None:
    assert f"{Limits().value_bytes_max} bytes" in DOCUMENT["info"]["description"]
