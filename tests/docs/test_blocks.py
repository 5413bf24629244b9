"""Every block of code in the documentation is run, checked, or says why it cannot be run here. One that is none of it fails.

```sh                 every `churnwatch …`, `make …` and `python -m …` in it exists, with the options that it is given; other
                      programs are among those that readers are known to have
```json  ```toml      parsed, and held to the schemas, the settings or the playbook
```yaml  ```xml       parsed
```text  or none      what is answered, or a drawing: holds no commands
anything else         `<!-- run by tests/… -->` before it names the test that runs it; in an sh block it also says so
<!-- not run: why --> before any block: not runnable here. sh blocks are checked all the same
"""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import dropwhile, groupby, takewhile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import typer.main
import yaml

from alerts import alert
from churnwatch.cli import app
from churnwatch.playbook_file import parse_playbook
from churnwatch.settings import Settings
from churnwatch.settings_sources import CONFIG_VARIABLE, ENV_PREFIX, public_name
from streams.codec import Arrival, Limits, RawRecord, decode

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NOW_MS = 4_102_444_800_000
PAGES = [ROOT / "README.md", ROOT / "data" / "README.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(
    r"(?:^[ ]*<!-- (?P<says>[^>]*) -->\n+)?^(?P<indent>[ ]*)```(?P<language>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```[ ]*$",
    re.MULTILINE | re.DOTALL,
)
RUN_ELSEWHERE = {
    "docs/alerts.md": "tests/integration/test_alert_docs.py",
    "docs/how-to/publish-java.md": "tests/integration/test_publish_elsewhere.py",
    "docs/how-to/publish-node.md": "tests/integration/test_publish_elsewhere.py",
    "docs/tutorial.md": "tests/docs/test_tutorial.py",
}
"""Pages of which a test runs all the programs."""

PROGRAMS = {
    "cat", "cd", "curl", "date", "docker", "echo", "eval", "export", "git", "grep", "gunzip", "helm", "jq", "java", "javac", "kcat", "kubectl",
    "less", "mkdir", "mvn", "node", "npm", "openssl", "pip", "promtool", "psql", "redis-cli", "source", "tar",
}  # fmt: skip
"""What else readers are expected to have; what these are told is theirs to check."""


QUERIES = sorted((DOCS / "bi").rglob("*.sql"))
"""What tests/integration/test_bi_queries.py runs on a real PostgreSQL."""

NOT_RUN = re.compile(r"not run(?: here)?: \w+")


@dataclass(frozen=True, slots=True)
class Block:
    page: Path
    line: int
    language: str
    body: str
    says: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@cache
def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start("language")) + 1
            body = re.sub(rf"^{match['indent']}", "", match["body"], flags=re.MULTILINE)
            found.append(Block(page, line, match["language"].strip(), body, match["says"] or ""))
    return found


def of(*languages: str) -> pytest.MarkDecorator:
    chosen = [block for block in blocks() if block.language in languages]
    return pytest.mark.parametrize("block", chosen, ids=str)


def test_every_fence_is_found() -> None:
    fences = sum(line.lstrip().startswith("```") for page in PAGES for line in page.read_text().splitlines())
    assert len(blocks()) * 2 == fences


# -- programs ----------------------------------------------------------------------------------------------------------

CHECKED = {"sh", "json", "toml", "yaml", "xml", "text", "", "{toctree}"}


@pytest.mark.parametrize("block", [block for block in blocks() if block.language not in CHECKED], ids=str)
def test_every_program_is_run_or_says_why_not(block: Block) -> None:
    if NOT_RUN.match(block.says):
        return
    if block.language == "sql" and any(block.body.strip() in query.read_text() for query in QUERIES):
        return
    test = RUN_ELSEWHERE.get(str(block.page.relative_to(ROOT)))
    if named := re.match(r"run by (tests/\S+\.py)", block.says):
        test = named[1]
    assert test is not None, "say `<!-- run by tests/… -->` or `<!-- not run: why -->` before it"
    assert block.page.name in (ROOT / test).read_text(), f"{test} does not read this page"


# -- commands ----------------------------------------------------------------------------------------------------------


def lines(block: Block) -> Iterator[list[str]]:
    """The commands of a block as words, one by one: continued lines joined; comments, settings and redirections gone."""
    for line in block.body.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        for is_end, words in groupby(lexer, lambda word: set(word) <= set("|&;")):
            said = list(takewhile(lambda word: not set(word) <= set("<>"), words))
            said = list(dropwhile(lambda word: re.match(r"[A-Z_]+=", word), said))
            if said and not is_end:
                yield said


def command(words: list[str]) -> None:
    found: Any = typer.main.get_command(app)
    known = {option for parameter in found.params for option in parameter.opts}
    taking = {"--config"}
    while words and (children := getattr(found, "commands", None)):
        if words[0] in known:
            words = words[2 if words[0] in taking else 1 :]
            continue
        assert words[0] in children, f"there is no `churnwatch {' '.join(words)}`"
        found, words = children[words[0]], words[1:]
    options = {option for parameter in found.params for option in parameter.opts} | {"--help"}
    given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert given <= options, f"{given - options} is no option of it"


def target(words: list[str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for word in words if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")}
    assert named <= targets, f"there is no `make {' '.join(named - targets)}`"


@of("sh")
def test_every_command_exists_with_its_options(block: Block) -> None:
    for words in lines(block):
        program, rest = words[0], words[1:]
        if Path(program).name == "churnwatch":
            command(rest)
        elif program == "make":
            target(rest)
        elif Path(program).name in {"python", "python3"}:
            if rest[:1] == ["-m"]:
                module = ROOT / rest[1].replace(".", "/")
                assert module.with_suffix(".py").is_file() or module.is_dir(), f"there is no module {rest[1]}"
        elif "/" in program:
            assert (ROOT / program).is_file(), f"there is no {program}"
        else:
            assert program in PROGRAMS, f"who says that readers have {program}?"


@cache
def of_the_tools() -> set[str]:
    """What benchmarks and studies take from the environment."""
    sources = [*(ROOT / "bench").glob("*.py"), *(ROOT / "studies").glob("*.py")]
    return {name for source in sources for name in re.findall(r'"(CHURNWATCH_[A-Z_]+)"', source.read_text())}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_named_exists(page: Path) -> None:
    known = {public_name(field) for field in Settings.model_fields} | {CONFIG_VARIABLE} | of_the_tools()
    named = set(re.findall(r"\bCHURNWATCH_[A-Z_]*[A-Z]\b(?!_)", page.read_text()))
    assert named <= known


# -- data --------------------------------------------------------------------------------------------------------------


def documents(body: str) -> Iterator[Any]:
    decoder, at = json.JSONDecoder(), 0
    while rest := body[at:].lstrip():
        at = len(body) - len(rest)
        found, at = decoder.raw_decode(body, at)
        yield found


@of("json")
def test_every_json_block_is_an_event_or_an_alert(block: Block) -> None:
    for found in documents(block.body):
        if NOT_RUN.match(block.says):
            continue
        if "episode_id" in found:
            assert json.loads(alert.encode(alert.decode(json.dumps(found).encode()))) == found
            continue
        stream = found.get("stream") or ("outcomes" if "alert_id" in found else "")
        assert stream, "neither an alert nor an event; say `<!-- not run: why -->` where it is something else"
        record = RawRecord("any", 0, 0, NOW_MS, found["customer_id"].encode(), json.dumps(found).encode())
        assert isinstance(decoded := decode(record, stream, Limits(), NOW_MS), Arrival), decoded
        assert found.keys() - {"stream"} <= set(decoded.event.__struct_fields__), "a field that would be ignored"


def flat(table: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{name}_")
        else:
            yield f"{before}{name}"


@of("toml")
def test_every_toml_block_is_settings_or_a_playbook(block: Block) -> None:
    table = tomllib.loads(block.body)
    known = {public_name(field) for field in Settings.model_fields}
    if any(isinstance(value, dict) and "when" in value for value in table.values()):
        parse_playbook(block.body, str(block))
        return
    assert {f"{ENV_PREFIX}{name.upper()}" for name in flat(table)} <= known


def test_every_other_block_of_data_can_be_read() -> None:
    for block in blocks():
        if block.language == "yaml":
            assert list(yaml.safe_load_all(block.body)), block
        elif block.language == "xml":
            ET.fromstring(f"<all>{block.body}</all>")


@of("text", "")
def test_what_is_shown_as_an_answer_or_a_drawing_holds_no_command(block: Block) -> None:
    assert not re.search(r"^\s*(?:\$ |churnwatch |make |python |docker |kubectl )", block.body, re.MULTILINE)
