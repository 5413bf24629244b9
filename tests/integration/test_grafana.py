"""Every panel of the dashboard shows something: a real worker is scraped by a real Prometheus, which is asked what Grafana would ask.

The worker replays a made-up shop of some months; `deliver` posts its alerts, `bi load` keeps the star schema. Towards the end the team reports
what it did about the alerts so far.
"""

import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from alerts.alert import decode
from chaos.installation import Installation, installation
from chaos.logs import POISON, QUICK
from chaos.postgres import running
from chaos.topics import produce
from chaos.workers import mortal
from churnwatch.child import free_port
from churnwatch.services import Services
from streams.outgoing import Outgoing
from streams.time import DAY_MS, parse_instant
from studies.webhook_receiver import BadReceiver
from tests.integration.prometheus_server import ROOT, SCRAPE_SECONDS, Prometheus
from tests.integration.worker_logs import START_MS, event, shop, write

DASHBOARD: Final = ROOT / "deploy/grafana/dashboards/churnwatch.json"
CHURNWATCH: Final = mortal(sys.executable, "-c", "from churnwatch.cli import main; main()")
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CUSTOMERS, DAYS, HALF_WAY = 140, 224, 190
SETTINGS: Final[dict[str, Any]] = QUICK | {
    "snapshot_ms": "2d",
    "alert_holdout_share": 0.4,
    "target_retention": 0.9,
    "target_precision": 0.3,
    "target_lead_days": 7,
    "target_acted_share": 0.8,
    "target_time_to_action_ms": "2d",
    "target_value_saved": 100,
}
"""A drift of inputs is told after seven months, of a thousand snapshots in four weeks; a trial needs customers held out, a goal a target."""

UNHEARD_MS: Final = 9 * DAY_MS
"""So far the clock stays behind the last event: it waits for what may come late."""

SHOWN_SECONDS_MAX: Final = 90.0
NEEDS_POSTGRES: Final = "BI: messages not loaded"
"""The one panel that is not asked for where there is no PostgreSQL: `bi load` does not run there."""

REPORTED: Final = ("acknowledged", "contacted", "accepted", "declined", "false_alarm")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

dashboard: dict[str, Any] = json.loads(DASHBOARD.read_text())
panels: list[dict[str, Any]] = [panel for panel in dashboard["panels"] if panel["type"] != "row"]


@contextlib.contextmanager
def beside(lab: Installation, command: str, log: Path, **settings: str) -> Iterator[None]:
    """Run another of Churnwatch's commands beside the worker, with further settings by their outer names."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*CHURNWATCH, *command.split()],
            env=lab.environ(**settings),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def delivering(lab: Installation, folder: Path) -> Iterator[list[str]]:
    """Run `deliver` before a receiver that takes everything, and give where it is scraped."""
    port = free_port()
    with BadReceiver() as receiver:
        own = {"URL": receiver.url, "SECRET": SECRET, "PORT": str(port), "START": "beginning"}
        told = {f"WEBHOOK_{name}": value for name, value in own.items()}
        with beside(lab, "deliver", folder / "deliver.log", **told):
            yield [f"127.0.0.1:{port}"]


@contextlib.contextmanager
def loading(lab: Installation, folder: Path) -> Iterator[list[str]]:
    """Run `bi load` before a PostgreSQL, and give where it is scraped; nowhere, where there is no PostgreSQL."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        try:
            database = stack.enter_context(running())
        except LookupError:
            yield []
            return
        stack.enter_context(beside(lab, "bi load", folder / "bi.log", BI_URL=database.url, BI_PORT=str(port)))
        yield [f"127.0.0.1:{port}"]


def reported(lab: Installation) -> list[dict[str, Any]]:
    """What the team did about the alerts so far, a day after each: about two in three of them."""
    alerts = [decode(record.value) for record in lab.alerts()]
    return [
        event(
            "outcomes",
            alert.customer_id,
            parse_instant(alert.raised_at) + DAY_MS,
            number,
            alert_id=alert.alert_id,
            status=REPORTED[number % len(REPORTED)],
        )
        for number, alert in enumerate(alerts)
        if alert.kind == "opened" and number % 3
    ]


@contextlib.contextmanager
def at_work(services: Services, folder: Path) -> Iterator[Prometheus]:
    """A Prometheus beside a worker and `deliver` who have the last month of the log before them, and have just heard of outcomes."""
    log = shop(CUSTOMERS, DAYS)
    half_ms = START_MS + HALF_WAY * DAY_MS
    before = [told for told in log if parse_instant(told["occurred_at"]) < half_ms]
    with contextlib.ExitStack() as stack:
        lab = stack.enter_context(installation(services, "grafana.", "grafana", folder, clock="replay", **SETTINGS))
        lab.publish(write(folder / "before.jsonl", before))
        worker = lab.start()
        targets = {
            "churnwatch": [f"127.0.0.1:{worker.port}"],
            "churnwatch-deliver": stack.enter_context(delivering(lab, folder)),
            "churnwatch-bi": stack.enter_context(loading(lab, folder)),
        }
        prometheus = Prometheus(folder, targets)
        stack.callback(prometheus.stop)
        lab.until(half_ms - UNHEARD_MS)
        lab.publish(write(folder / "after.jsonl", [*reported(lab), *log[len(before) :]]))
        orders = lab.settings.topics().inputs["orders"]
        produce(lab.settings, [Outgoing(orders, b"c001", value, []) for value in POISON])
        yield prometheus


@pytest.fixture(scope="module")
def prometheus(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    if not services.real_kafka:
        pytest.skip("needs Apache Kafka: `deliver` and the worker are members of groups")
    with at_work(services, tmp_path_factory.mktemp("grafana")) as made:
        yield made


def test_every_panel_has_something_to_show(prometheus: Prometheus) -> None:
    asked = {(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]}
    left_out = set() if prometheus.scrapes("churnwatch-bi") else {NEEDS_POSTGRES}
    assert left_out <= {title for title, _ in asked}
    empty = {(title, expression) for title, expression in asked if title not in left_out}
    deadline = time.monotonic() + SHOWN_SECONDS_MAX
    while empty and time.monotonic() < deadline:
        time.sleep(SCRAPE_SECONDS)
        empty = {(title, expression) for title, expression in empty if not prometheus.series(expression)}
    assert empty == set()


def test_the_variables_and_the_marks_of_alerts_are_understood(prometheus: Prometheus) -> None:
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    asked = re.fullmatch(r"label_values\((\w+), (\w+)\)", variables["worker"]["query"]["query"])
    assert asked is not None
    assert len(prometheus.ask(f"label/{asked[2]}/values", **{"match[]": asked[1]})) == 1
    for marks in dashboard["annotations"]["list"]:
        prometheus.series(marks["expr"])


def test_every_rule_is_judged_and_its_page_served(prometheus: Prometheus) -> None:
    rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
    assert len(rules) >= 20
    assert {rule["health"] for rule in rules} == {"ok"}, [rule["lastError"] for rule in rules if "lastError" in rule]
    for rule in rules:
        address = rule["annotations"]["runbook_url"]
        path = address.removeprefix("{{ $externalURL }}")
        assert path != address
        assert prometheus.status(path) == 200, path
