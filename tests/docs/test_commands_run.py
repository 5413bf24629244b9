"""What the documentation has readers type is typed here: every `churnwatch …` of every sh block that ends by itself, on a small shop."""

import gzip
import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard

from churnwatch import cli
from churnwatch.settings import Settings
from streams.topics import DEFAULTS
from tests.docs.test_blocks import NOT_RUN, ROOT, blocks, lines
from tests.integration.cli_runner import create_all, pointed

RUN_ON = {"backtest", "bi", "console", "deliver", "demo", "worker"}
"""They run on until they are stopped, or for long; tests of their own run them."""

FIRST = ("topics create", "publish", "bootstrap")
LAST = ("dlq replay", "forget")
ENDINGS = ("777", "888")
"""Of the example log: a few customers over some months, so that there is a model."""

ORDERS = 80
NAMED = {"c-42", "13782"}
"""Customers that the pages speak of."""


def typed() -> list[list[str]]:
    """Every command line of the pages once, what makes things first, what takes them away last."""
    found = {}
    for block in blocks():
        if block.language != "sh" or NOT_RUN.match(block.says) or block.page.name == "tutorial.md":
            continue
        for words in lines(block):
            if Path(words[0]).name == "churnwatch" and words[1] not in RUN_ON and not {"-f", "--follow"} & set(words):
                found[shlex.join(words[1:])] = words[1:]

    def rank(words: list[str]) -> int:
        said = " ".join(words)
        for place, start in enumerate(FIRST):
            if said.startswith(start):
                return place
        return len(FIRST) + any(said.startswith(start) for start in LAST)

    return sorted(found.values(), key=rank)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the pages speak of."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    with gzip.open(ROOT / "data" / "cdnow.jsonl.gz", "rt") as log:
        orders = [order for order in map(json.loads, log) if order["customer_id"].endswith(ENDINGS)][:ORDERS]
    customers = sorted({order["customer_id"] for order in orders})
    names = dict(zip(customers, sorted(NAMED), strict=False))
    told = "".join(
        json.dumps(o | {"customer_id": names.get(o["customer_id"], o["customer_id"])}) + "\n" for o in orders
    )
    for name in ("data/cdnow.jsonl.gz", "orders.jsonl.gz"):
        (tmp_path / name).write_bytes(gzip.compress(told.encode()))
    for name in ("logins.jsonl.gz", "tickets.jsonl.gz"):
        (tmp_path / name).write_bytes(gzip.compress(b""))
    (tmp_path / "events.jsonl.zst").write_bytes(zstandard.compress(told.encode()))
    (tmp_path / "churnwatch.toml").write_text('horizon = "28d"\nactive = "56d"\n\n[alert]\ndaily_budget = 12.0\n')
    (tmp_path / "playbook.toml").write_text((ROOT / "alerts" / "default_playbook.toml").read_text())
    return tmp_path


@pytest.fixture
def settings(
    kafka_bootstrap: str, redis_url: str, topic_prefix: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    monkeypatch.setenv("CHURNWATCH_KAFKA_GROUP_ID", f"{topic_prefix}g")
    yield from pointed(monkeypatch, kafka_bootstrap, redis_url, topic_prefix, namespace)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("real_kafka", "desk")
def test_every_command_of_the_pages_that_ends_by_itself_ends_well(
    settings: Settings, create_topics: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    create_all(create_topics, settings)
    commands = typed()
    assert len(commands) > 15
    failed = {}
    prefixed = {name: f"{settings.topic_prefix}{name}" for name in DEFAULTS.values()}
    for told in commands:
        words = [prefixed.get(word, word) for word in told]
        if (code := cli.run(words)) != 0:
            failed[shlex.join(words)] = (code, capsys.readouterr().err[-300:])
    assert failed == {}
