"""Write the published formats into docs/: a JSON Schema for each event, alert and score, and the AsyncAPI document.

    python -m churnwatch.schemas [--check] [FOLDER]

All of them are made from the types that the programs decode and encode with. With --check nothing is written.
Exit code 0: written, or current. 1: out of date (each such file is named, with the difference), or they cannot be written.
"""

import argparse
import difflib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from alerts.alert import Alert
from alerts.score import Score
from churnwatch.asyncapi import asyncapi
from streams.forms import FORMS, EventForm

FOLDER: Final = Path("docs")
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
DIFFERENCE_LINES_MAX: Final = 40
WRITTEN_INSTANTS: Final = ("raised_at", "scored_at")

Schema = dict[str, Any]


def documents() -> Mapping[str, str]:
    """Return the text of every generated document by its path under docs/."""
    events = {stream: event_schema(form) for stream, form in FORMS.items()}
    outputs = output_schemas()
    files = {f"schemas/{schema['title'].lower()}.json": _standing_alone(schema) for schema in events.values()}
    for name in ("Alert", "Score"):
        files[f"schemas/{name.lower()}.json"] = _standing_alone(outputs[name], outputs)
    files["asyncapi.json"] = asyncapi(events, outputs)
    return {path: json.dumps(held, indent=2, ensure_ascii=False) + "\n" for path, held in files.items()}


def event_schema(form: type[EventForm]) -> Schema:
    """Return the JSON Schema of an input event, without the titles that pydantic makes up for fields."""
    schema = form.model_json_schema()
    for field in schema["properties"].values():
        del field["title"]
    return schema


def output_schemas() -> dict[str, Schema]:
    """Return the JSON Schemas of Alert, Score and the types within them, by name; references are to `#/$defs/`."""
    _, schemas = msgspec.json.schema_components((Alert, Score), ref_template="#/$defs/{name}")
    for schema in schemas.values():
        schema["description"] = " ".join(schema["description"].split())
        schema["required"] = list(schema["properties"])  # a field with a default is written all the same
        for name in WRITTEN_INSTANTS:
            if name in schema["properties"]:
                schema["properties"][name]["format"] = "date-time"
    return schemas


def _standing_alone(schema: Schema, others: Mapping[str, Schema] | None = None) -> Schema:
    """Return a schema as a document of its own, with those of the others that it refers to."""
    used: dict[str, Schema] = {}
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in used:
            used[name] = (others or {})[name]
            waiting.extend(_references(used[name]))
    return {"$schema": DIALECT, **schema, **({"$defs": dict(sorted(used.items()))} if used else {})}


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].removeprefix("#/$defs/")
        for held in part.values():
            yield from _references(held)
    elif isinstance(part, list):
        for held in part:
            yield from _references(held)


def stale(folder: Path) -> Iterator[str]:
    """Yield for each document that is not as the code has it what the difference is, as a bounded unified diff."""
    for path, text in documents().items():
        file = folder / path
        there = file.read_text(encoding="utf-8") if file.is_file() else ""
        if there != text:
            lines = difflib.unified_diff(there.splitlines(), text.splitlines(), str(file), "the code", lineterm="")
            yield "\n".join(islice(lines, DIFFERENCE_LINES_MAX))
    expected = {folder / path for path in documents()}
    yield from (
        f"{file}: nothing makes this file; delete it" for file in (folder / "schemas").glob("*") if file not in expected
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the documents; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m churnwatch.schemas", description="Write the schemas into docs/.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a document is out of date")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="where they are (default: %(default)s)")
    asked = parser.parse_args(arguments)
    try:
        if asked.check:
            differences = list(stale(asked.folder))
            for difference in differences:
                print(difference, file=sys.stderr)
            if differences:
                print("the documents above are out of date: run `python -m churnwatch.schemas`", file=sys.stderr)
            return 1 if differences else 0
        for path, text in documents().items():
            file = asked.folder / path
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        print(
            f"{asked.folder}: {error.strerror}; run this at the top of the repository, or name docs/", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
