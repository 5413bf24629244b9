"""The AsyncAPI 3 document: every topic, who sends and who receives, keys, headers and payloads.

Seen from Churnwatch, as AsyncAPI 3 has it: it `receive`s the input topics and `send`s the others. Input events come in three forms
(plain JSON, CloudEvents structured, CloudEvents binary), which are three messages of one channel.
Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0 and its Kafka bindings 0.5.0.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from agents.routing import OWNER_HEADER, PLAN_HEADER
from streams.cloudevents import FIELDS, STRUCTURED
from streams.codec import Limits, Reason
from streams.deadletter import CONNECT, FIRST_FAILED_AT, REASON, DeliveryReason
from streams.time import HOUR_MS
from streams.topics import DEFAULTS, DLQ_SUFFIX, OPTIONAL_STREAMS, Topics, TopicSpec

BINDING_VERSION: Final = "0.5.0"
CONTRACT_VERSION: Final = "1.0.0"
CUSTOMER_KEY: Final = {"type": "string", "description": "the customer_id in UTF-8", "minLength": 1, "maxLength": 128}
RFC_3339: Final = {"type": "string", "format": "date-time"}

Schema = dict[str, Any]

DESCRIPTION: Final = f"""Churnwatch reads what customers do and warns of those who are about to leave.

The names of the topics are defaults: each of them, and a common prefix, is a setting. The key of every message about a customer is the
customer_id in UTF-8, and Kafka's default partitioner (murmur2) chooses the partition. All input topics have the same number of partitions.

Unknown fields are ignored. The same event_id again is a duplicate and has no effect. An event that is malformed, invalid, larger than
{Limits().value_bytes_max} bytes (a setting), under another key than its customer_id, more than {Limits().future_ms_max // HOUR_MS} h (a setting)
in the future or older than what is kept goes to its dead-letter topic, untouched, with the reason in its headers."""

DLQ_HEADERS: Final = {
    f"{CONNECT}topic": "the topic that the record came from",
    f"{CONNECT}partition": "its partition there",
    f"{CONNECT}offset": "its offset there",
    f"{CONNECT}stage": "the part of the work that failed: decode, validate, pipeline or deliver",
    f"{CONNECT}exception.class.name": "the kind of error",
    f"{CONNECT}exception.message": "what is wrong, and where",
    REASON: "why, as one of a few words",
    FIRST_FAILED_AT: "when it failed first, also where it was replayed and failed again",
}

ALERT_HEADERS: Final[Mapping[str, Schema]] = {
    OWNER_HEADER: {
        "type": "string",
        "description": "the owner that the customer's profile names, in UTF-8; left out where none",
    },
    PLAN_HEADER: {
        "type": "string",
        "description": "the plan that the customer's profile names, in UTF-8; left out where none",
    },
}


def asyncapi(events: Mapping[str, Schema], outputs: Mapping[str, Schema]) -> Schema:
    """Return the document; `events` are the schemas of the input events by stream, `outputs` those of Alert, Score and their parts."""
    specs = {spec.name: spec for spec in Topics().specs()}
    messages: dict[str, Schema] = {}
    channels: dict[str, Schema] = {}
    for stream, schema in events.items():
        own = dict(_input_messages(stream, schema))
        messages |= own
        channels[stream] = _channel(specs[DEFAULTS[stream]], f"{schema['title']} events", own)
    for name in ("Alert", "Score"):
        messages[name] = _message(outputs[name]["description"], {"$ref": f"#/components/schemas/{name}"}, CUSTOMER_KEY)
    messages["Alert"]["headers"] = {"type": "object", "properties": ALERT_HEADERS}
    messages["ScoreTombstone"] = _message("The customer was forgotten on request.", {"type": "null"}, CUSTOMER_KEY)
    channels["alerts"] = _channel(specs[DEFAULTS["alerts"]], "Alerts", ["Alert"])
    channels["scores"] = _channel(specs[DEFAULTS["scores"]], "Changes of customers' bands", ["Score", "ScoreTombstone"])
    messages |= {"ExampleBatch": _example_batch(), "DeadLetter": _dead_letter()}
    channels["examples"] = _channel(specs[DEFAULTS["examples"]], "Internal: labelled examples", ["ExampleBatch"])
    channels["deadLetters"] = _dead_letter_channel()
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Churnwatch", "version": CONTRACT_VERSION, "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": _operations(channels, events),
        "components": {"messages": messages, "schemas": _schemas(events, outputs)},
    }


def _operations(channels: Mapping[str, Schema], events: Mapping[str, Schema]) -> dict[str, Schema]:
    received = {f"receive{_capital(name)}": ("receive", name) for name in [*events, "examples"]}
    sent = {f"send{_capital(name)}": ("send", name) for name in ("alerts", "scores", "examples", "deadLetters")}
    return {
        name: {
            "action": action,
            "channel": {"$ref": f"#/channels/{channel}"},
            "messages": [{"$ref": f"#/channels/{channel}/messages/{held}"} for held in channels[channel]["messages"]],
        }
        for name, (action, channel) in (received | sent).items()
    }


def _channel(spec: TopicSpec, title: str, messages: Any) -> Schema:
    stream = next((name for name in OPTIONAL_STREAMS if DEFAULTS[name] == spec.name), None)
    kafka: Schema = {"topic": spec.name}
    if spec.partitions is not None:
        kafka["partitions"] = spec.partitions
    kafka["topicConfiguration"] = {"cleanup.policy": ["compact" if spec.compacted else "delete"]}
    return {
        "address": spec.name,
        "title": title + (" (the topic is optional)" if stream else ""),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": {**kafka, "bindingVersion": BINDING_VERSION}},
    }


def _dead_letter_channel() -> Schema:
    origins = sorted(Topics().with_letters())
    return {
        "address": f"{{topic}}{DLQ_SUFFIX}",
        "title": "Dead letters, one topic for each input topic, and one for alerts that a webhook refused",
        "parameters": {"topic": {"enum": origins, "description": "the topic that the record came from"}},
        "messages": {"DeadLetter": {"$ref": "#/components/messages/DeadLetter"}},
    }


def _input_messages(stream: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
    title, said = schema["title"], schema["description"]
    yield title, _message(said, {"$ref": f"#/components/schemas/{title}"}, CUSTOMER_KEY)
    structured = _message(
        f"{said} As a CloudEvent in structured mode.", {"$ref": f"#/components/schemas/{title}Envelope"}, CUSTOMER_KEY
    )
    content_type = STRUCTURED.decode()
    headers = {"type": "object", "properties": {"content-type": {"const": content_type}}, "required": ["content-type"]}
    yield f"{title}StructuredCloudEvent", {**structured, "contentType": content_type, "headers": headers}
    binary = _message(
        f"{said} As a CloudEvent in binary mode.", {"$ref": f"#/components/schemas/{title}Data"}, CUSTOMER_KEY
    )
    yield f"{title}BinaryCloudEvent", {**binary, "headers": {"$ref": "#/components/schemas/CloudEventHeaders"}}
    if stream == "profiles":
        yield "ProfileTombstone", _message("A tombstone erases the profile of its key.", {"type": "null"}, CUSTOMER_KEY)


def _message(summary: str, payload: Schema, key: Schema | None) -> Schema:
    kafka = {**({"key": key} if key else {}), "bindingVersion": BINDING_VERSION}
    return {"summary": summary, "payload": payload, "bindings": {"kafka": kafka}}


def _example_batch() -> Schema:
    payload = {"description": "Internal: the form may change at any time. No customer_id is in it, only pseudonyms."}
    return {
        **_message("Labelled examples and progress of a partition.", payload, None),
        "contentType": "application/msgpack",
    }


def _dead_letter() -> Schema:
    properties: dict[str, Schema] = {
        name: {"type": "string", "description": said} for name, said in DLQ_HEADERS.items()
    }
    properties[REASON]["enum"] = list(dict.fromkeys([*get_args(Reason), *get_args(DeliveryReason)]))
    properties[FIRST_FAILED_AT] |= RFC_3339
    headers = {"type": "object", "properties": properties, "required": list(properties)}
    payload = {"description": "The value as it came, byte for byte; it need not be JSON."}
    said = "A record that could not be used: key, value and headers as they came, followed by these headers in UTF-8."
    return {**_message(said, payload, None), "headers": headers, "contentType": "application/octet-stream"}


def _schemas(events: Mapping[str, Schema], outputs: Mapping[str, Schema]) -> dict[str, Schema]:
    schemas = {"CloudEventHeaders": _cloud_event("ce_", RFC_3339 | {"description": "occurred_at"}, {})}
    for schema in events.values():
        title = schema["title"]
        data = _without_the_three(schema)
        instant = schema["properties"]["occurred_at"]
        envelope = _cloud_event("", instant, {"data": {"$ref": f"#/components/schemas/{title}Data"}})
        if data.get("required"):
            envelope["required"].append("data")
        schemas |= {title: schema, f"{title}Data": data, f"{title}Envelope": envelope}
    return schemas | {name: _moved(schema) for name, schema in outputs.items()}


def _cloud_event(prefix: str, time: Schema, more: Mapping[str, Schema]) -> Schema:
    described = {theirs: {"type": "string", "minLength": 1, "description": ours} for theirs, ours in FIELDS.items()}
    own = {"specversion": {"type": "string", "pattern": r"^1\."}, **described, "time": time}
    properties = {f"{prefix}{name}": held for name, held in own.items()}
    return {"type": "object", "properties": {**properties, **more}, "required": list(properties)}


def _without_the_three(schema: Schema) -> Schema:
    three = FIELDS.values()
    return {
        **schema,
        "title": f"{schema['title']}Data",
        "properties": {name: held for name, held in schema["properties"].items() if name not in three},
        "required": [name for name in schema["required"] if name not in three],
    }


def _moved(part: Any) -> Any:
    """Return a schema with its references pointed to where this document keeps schemas."""
    if isinstance(part, dict):
        return {
            name: held.replace("#/$defs/", "#/components/schemas/") if name == "$ref" else _moved(held)
            for name, held in part.items()
        }
    return [_moved(held) for held in part] if isinstance(part, list) else part


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
