"""Write docs/reference/events.md and alerts.md from the types that the programs decode and encode with.

    python -m churnwatch.format_docs [--check] [FOLDER]

Exit code 0: written, or current. 1: out of date, or a file cannot be written.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from churnwatch.format_meanings import EVENTS, EVERY_EVENT, OUTPUTS
from churnwatch.schemas import Schema, event_schema, output_schemas
from churnwatch.written_page import write_or_check
from streams.forms import FORMS
from streams.topics import DEFAULTS, OPTIONAL_STREAMS

FOLDER: Final = Path(__file__).parent.parent / "docs" / "reference"
WRITTEN: Final = (
    "<!-- Written by `python -m churnwatch.format_docs`. Edit churnwatch/format_meanings.py or the types instead. -->"
)

EVENTS_HEAD: Final = f"""# Events

{WRITTEN}

What goes in: one JSON object an event, in Kafka on the topic of its stream, in files a line each with the field `stream` besides.
The record's key is the `customer_id` in UTF-8, the partitioner Kafka's default (murmur2), and all input topics have the same number of partitions.
Unknown fields are ignored; a missing, mistyped or out-of-range one sends the event to `<topic>.dlq` with its reason.

For programs: a JSON Schema for each (`docs/schemas`), and an [AsyncAPI document](../asyncapi.json). CloudEvents 1.0 is understood as well, in binary mode
(`ce_` headers) and in structured mode (`application/cloudevents+json`): `id` is the `event_id`, `time` is `occurred_at`, `subject` the `customer_id`.

How to send them: [from Python](../how-to/publish-python.md), or [from files](commands.md#churnwatch-publish).
"""

ALERTS_HEAD: Final = f"""# Alerts and scores

{WRITTEN}

What comes out. Every field is always there, in this order. How an alert comes about, and how right it is, stands in
[alerts that keep customers](../alerts.md); for programs there are JSON Schemas (`docs/schemas`) and an [AsyncAPI document](../asyncapi.json).

Delivery is at least once, keyed by customer, and a customer's alerts are in order. Kafka headers `churnwatch.owner` and `churnwatch.plan` are those of the
profile, left out where it names none.
"""

TITLES: Final = {
    "Alert": f"Alert, on {DEFAULTS['alerts']}",
    "ValueAtRisk": "value_at_risk",
    "Reason": "One of reasons",
    "Action": "One of actions",
    "ModelStamp": "model",
    "Trigger": "trigger",
    "Score": f"Score, on {DEFAULTS['scores']}, compacted",
}
OTHERS: Final = {"boolean": "true or false", "object": "numbers by name"}
MS_MAX: Final = 253_402_300_799_999
"""The end of the year 9999."""

CHARACTERS: Final = {"^[A-Z]{3}$": "three capital letters"}


def events_page() -> str:
    """Return the reference of input events."""
    schemas = {stream: event_schema(form) for stream, form in FORMS.items()}
    first = next(iter(schemas.values()))
    parts = [EVENTS_HEAD, "## Every event", "", *_table(first, EVERY_EVENT)]
    for stream in sorted(schemas, key=list(EVENTS).index):
        schema = schemas[stream]
        optional = ", optional" if stream in OPTIONAL_STREAMS else ""
        parts += ["", f"## {schema['title']}, on {DEFAULTS[stream]}{optional}", "", schema["description"], ""]
        parts += _table(schema, EVENTS[stream])
    return "\n".join(parts) + "\n"


def alerts_page() -> str:
    """Return the reference of alerts and scores."""
    schemas = output_schemas()
    parts = [ALERTS_HEAD]
    for name, title in TITLES.items():
        parts += [f"## {title}", "", *_table(schemas[name], OUTPUTS[name], always=True), ""]
    return "\n".join(parts)


PAGES: Final[Mapping[str, Callable[[], str]]] = {"events.md": events_page, "alerts.md": alerts_page}


def _table(schema: Schema, meanings: Mapping[str, str], *, always: bool = False) -> Iterator[str]:
    yield "| field | takes | meaning |" if always else "| field | needed | takes | meaning |"
    yield "| --- | --- | --- |" if always else "| --- | --- | --- | --- |"
    for name, meaning in meanings.items():
        field = schema["properties"][name]
        taken = allowed(field)
        if always and {"type": "null"} in field.get("anyOf", ()):
            taken += ", or null"
        if not always and field.get("default") is not None:
            taken += f"; without it `{field['default']}`"
        needed = [] if always else ["yes" if name in schema["required"] else ""]
        yield f"| {' | '.join([f'`{name}`', *needed, taken, meaning])} |".replace("|  |", "| |")


def allowed(field: Schema) -> str:
    """Say what a field takes, null left aside."""
    return " or ".join(_one(kind) for kind in field.get("anyOf", [field]) if kind.get("type") != "null")


def _one(kind: Schema) -> str:
    if "enum" in kind:
        return ", ".join(f"`{value}`" for value in kind["enum"])
    if "anyOf" in kind:
        return allowed(kind)
    if "$ref" in kind:
        return "an object, see below"
    if kind["type"] == "array":
        return f"a list of {_one(kind['items'])}" if "enum" in kind["items"] else "a list of objects, see below"
    if kind["type"] == "string":
        return _text(kind)
    return _number(kind) if kind["type"] in {"integer", "number"} else OTHERS[kind["type"]]


def _text(kind: Schema) -> str:
    if kind.get("format") == "date-time":
        return "RFC 3339 with an offset"
    if "pattern" in kind:
        return CHARACTERS[kind["pattern"]]
    return f"text, {kind['maxLength']:,} characters at most" if "maxLength" in kind else "text"


def _number(kind: Schema) -> str:
    if kind.get("maximum") == MS_MAX:
        return "integer epoch milliseconds"
    if "minimum" in kind:
        return f"a number from {kind['minimum']:,} to {kind['maximum']:,.0f}"
    return "a whole number" if kind["type"] == "integer" else "a number"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the pages; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m churnwatch.format_docs", description="Write the pages on formats.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page is out of date")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="where they are (default: %(default)s)")
    asked = parser.parse_args(arguments)
    check = ["--check"] if asked.check else []
    ended = [
        write_or_check("churnwatch.format_docs", FOLDER / name, text, [*check, str(asked.folder / name)])
        for name, text in PAGES.items()
    ]
    return max(ended)


if __name__ == "__main__":
    sys.exit(main())
