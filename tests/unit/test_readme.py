"""What the README and the hand-written pages say is so: links, commands, options, targets, settings, metrics, examples, tests."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from agents.metric_catalog import METRICS, PROCESS
from alerts import alert
from churnwatch.cli import app
from churnwatch.settings import Settings
from churnwatch.settings_sources import CONFIG_VARIABLE, public_name
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.topics import DEFAULTS, DLQ_SUFFIX

ROOT = Path(__file__).parents[2]
NOW_MS = 4_102_444_800_000  # in 2100: no example is from the future
README = ROOT / "README.md"
BY_HAND = [README, ROOT / "CHANGELOG.md", ROOT / "docs/architecture.md", ROOT / "docs/guarantees.md"]
PAGES = [*BY_HAND, *(page for page in sorted((ROOT / "docs").glob("*.md")) if page not in BY_HAND)]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
each_by_hand = pytest.mark.parametrize("page", BY_HAND, ids=lambda page: page.name)


@cache
def text(page: Path) -> str:
    return page.read_text()


def blocks(page: Path, language: str) -> list[str]:
    return [body for of, body in FENCE.findall(text(page)) if of == language]


def code(page: Path) -> Iterator[str]:
    """Everything set in code, by line: spans in the text, lines of shell blocks without their comments."""
    yield from re.findall(r"`([^`\n]+)`", FENCE.sub("", text(page)))
    for block in blocks(page, "sh"):
        yield from (line.partition("#")[0].strip() for line in block.splitlines())


# -- links -------------------------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text(page))):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert found.is_relative_to(ROOT), f"{target} is not in the repository"
        assert not anchor or anchor in anchors(found), f"{target}: there is no such heading"


@each_by_hand
def test_every_file_named_exists(page: Path) -> None:
    named = [span for span in code(page) if re.fullmatch(r"[\w.-]+(/[\w.-]+)+\.(py|md|yml|json|gz)", span)]
    assert [span for span in named if not (ROOT / span).is_file()] == []


# -- commands ----------------------------------------------------------------------------------------------------------


@each_page
def test_every_make_target_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.MULTILINE))
    named = {match[1] for span in code(page) if (match := re.match(r"make ([a-z-]+)", span))}
    assert named <= targets


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that `words` call, and the words that are left."""
    command: Any = typer.main.get_command(app)
    while words and not words[0].startswith("-") and (children := getattr(command, "commands", None)):
        assert words[0] in children, f"there is no `churnwatch {' '.join(words)}`"
        command, words = children[words[0]], words[1:]
    return command, words


def options_of(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts} | {"--help"}


def calls(page: Path) -> Iterator[list[str]]:
    for span in code(page):
        for part in re.split(r"&&|\|", span):
            match = re.search(r"(?:^|[\s/])churnwatch(?: ([a-z-].*))?$", part.strip())
            if match and match[1]:
                yield match[1].split()


@each_page
def test_every_command_named_exists_with_its_options(page: Path) -> None:
    for words in calls(page):
        command, rest = command_of(words)
        options = {word.partition("=")[0] for word in rest if word.startswith("--")}
        assert options <= options_of(command), " ".join(words)


def test_the_table_of_commands_is_whole() -> None:
    """A row's first cell names a command, and its siblings without their parent; options in the second are the command's."""
    rows = re.findall(r"^\| `churnwatch ([^`]+)`(.*?) \| (.*) \|$", text(README), re.MULTILINE)
    found = set()
    for call, siblings, meaning in rows:
        words = call.split()
        command, _ = command_of(words)
        found.add(words[0])
        for sibling in re.findall(r"`([a-z]+)`", siblings):
            command_of([words[0], sibling])
        assert set(re.findall(r"`(--[a-z-]+)`", meaning)) <= options_of(command), call
    assert found == set(command_of([])[0].commands) - {"version"}


# -- settings, metrics, topics -----------------------------------------------------------------------------------------


@each_by_hand
def test_every_setting_named_exists(page: Path) -> None:
    known = {public_name(field) for field in Settings.model_fields} | {CONFIG_VARIABLE}
    assert set(re.findall(r"\bCHURNWATCH_[A-Z_]+", text(page))) <= known


def test_defaults_are_those_of_the_reference() -> None:
    row = re.compile(r"^\| `(CHURNWATCH_\w+)` \| (\S*) ?\|", re.MULTILINE)
    reference = dict(row.findall(text(ROOT / "docs/settings.md")))
    told = dict(row.findall(text(README)))
    assert len(told) >= 12
    # A secret's default is masked in the reference, and left out here.
    assert {name: default or "`********`" if "SALT" in name else default for name, default in told.items()} == {
        name: reference[name] for name in told
    }


@each_by_hand
def test_every_metric_named_exists(page: Path) -> None:
    known = {metric.name for metric in METRICS + PROCESS}
    assert set(re.findall(r"\bchurnwatch_[a-z_]+", text(page))) <= known


def test_the_topics_are_the_published_ones() -> None:
    rows = dict(re.findall(r"^\| `([a-z.]+)` \| `(\w+)` \|", text(README), re.MULTILINE))
    inputs = {name: stream for stream, name in DEFAULTS.items() if stream not in {"alerts", "scores", "examples"}}
    assert rows == inputs
    named = {span for page in BY_HAND for span in code(page) if re.fullmatch(r"(customer|churn)\.[a-z]+(\.dlq)?", span)}
    assert {name.removesuffix(DLQ_SUFFIX) for name in named} <= set(DEFAULTS.values())


# -- examples ----------------------------------------------------------------------------------------------------------


def documents(block: str) -> Iterator[dict[str, Any]]:
    decoder, at = json.JSONDecoder(), 0
    while rest := block[at:].lstrip():
        at = len(block) - len(rest)
        found, at = decoder.raw_decode(block, at)
        yield found


def examples() -> list[dict[str, Any]]:
    return [found for block in blocks(README, "json") for found in documents(block)]


def test_the_events_shown_are_good_events() -> None:
    events = [found for found in examples() if "stream" in found]
    assert {event["stream"] for event in events} == {"orders", "logins", "tickets", "reviews"}
    for event in events:
        value = json.dumps(event).encode()
        record = RawRecord("any", 0, 0, NOW_MS, str(event["customer_id"]).encode(), value)
        assert isinstance(found := decode(record, event["stream"], Limits(), NOW_MS), Arrival), found
        assert event.keys() - {"stream"} <= set(found.event.__struct_fields__), "no field is one that is ignored"


def test_the_alert_shown_is_one_as_it_would_be_published() -> None:
    (shown,) = [found for found in examples() if "alert_id" in found]
    written = alert.encode(alert.decode(json.dumps(shown).encode()))
    assert json.loads(written) == shown
    assert list(json.loads(written)) == list(shown), "in the published order"


# -- guarantees --------------------------------------------------------------------------------------------------------


def test_every_promise_has_its_limit_and_a_test_that_exists() -> None:
    page = text(ROOT / "docs/guarantees.md")
    promises = re.findall(r"^### G(\d+)\. [^\n]+\n(.*?)(?=^##)", page, re.MULTILINE | re.DOTALL)
    assert [int(number) for number, _ in promises] == list(range(1, len(promises) + 1))
    for number, body in promises:
        assert "- **Limit:** " in body, f"G{number}"
        attacks = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", body.partition("**Attacked by:**")[2])
        assert attacks, f"G{number}"
        for path, name in attacks:
            assert re.search(rf"^ *(?:async )?def {name}\(", text(ROOT / path), re.MULTILINE), f"{path}::{name}"
