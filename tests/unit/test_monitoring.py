"""Prometheus and Grafana ask for what the worker exports: alert rules, dashboard, runbook.

Prometheus' own `promtool` checks its files where it is installed.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from agents.metric_catalog import BUILD_LABELS, LABELS, METRICS, PROCESS
from agents.metric_kinds import OTHER, Metric
from agents.metrics import Metrics
from churnwatch.bi_metrics import LOADING
from churnwatch.deliver_metrics import DELIVERING
from churnwatch.settings import Settings
from churnwatch.settings_sources import public_name

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/alerts.yml"
SCENES = RULES.with_name("alerts_test.yml")
RUNBOOK = ROOT / "docs/runbook"
SCRAPE = ROOT / "deploy/prometheus/prometheus.yml"

DECLARED = {metric.name: metric for metric in METRICS + PROCESS + DELIVERING + LOADING}
FROM_PROMETHEUS = {"job", "instance", "le"}
WINDOWS = {"$__rate_interval": "5m", "$__range": "1d"}
PARTS = ["What it means", "How bad it is", "What to look at", "What to do", "What not to do", "When it ends"]
PAGES_WITHOUT_RULE = ("index", "goals")

rules: list[dict[str, Any]] = [r for group in yaml.safe_load(RULES.read_text())["groups"] for r in group["rules"]]
dashboard: dict[str, Any] = json.loads((ROOT / "deploy/grafana/dashboards/churnwatch.json").read_text())
panels: list[dict[str, Any]] = [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def panel_queries() -> Iterator[str]:
    for panel in panels:
        for target in panel["targets"]:
            yield target["expr"]


QUERIES = [rule["expr"] for rule in rules] + list(panel_queries())


def metric_of(sample: str) -> Metric | None:
    """The declared metric that a sample's name belongs to."""
    if sample in DECLARED:
        return DECLARED[sample]
    base = DECLARED.get(re.sub(r"_(bucket|sum|count)$", "", sample))
    return base if base is not None and base.kind == "histogram" else None


def promtool(*arguments: str | Path, given: bytes | None = None) -> None:
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    done = subprocess.run([tool, *arguments], input=given, cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


# -- queries -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_asks_for_metrics_labels_and_values_that_the_worker_exports(query: str) -> None:
    selected = re.findall(r"\b(churnwatch_\w+|up)\b(?:\{([^}]*)\})?", query)
    assert selected
    known = set(FROM_PROMETHEUS)
    for name, matchers in selected:
        metric = metric_of(name)
        assert metric is not None or name == "up", f"{name} is not exported"
        labels = set(metric.labels) if metric else set()
        known |= labels
        for label, operator, value in re.findall(r'(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"', matchers):
            assert label in labels | FROM_PROMETHEUS, f"{name} has no label {label}"
            if label in labels and LABELS[label].values:
                wanted = value.split("|") if "~" in operator else [value]
                assert set(wanted) <= {*LABELS[label].values, OTHER}, f"{label} never is {value}"
    for grouping in re.findall(r"\bby \(([^)]*)\)", query):
        assert {label.strip() for label in grouping.split(",")} <= known


def test_the_check_above_sees_what_is_wrong() -> None:
    check = test_every_query_asks_for_metrics_labels_and_values_that_the_worker_exports
    for wrong in (
        "churnwatch_evnts_total",
        "sum by (customer) (churnwatch_events_total)",
        'churnwatch_events_total{outcome="lost"}',
        'churnwatch_lag_events{band="high"}',
        "churnwatch_events_total_bucket",
    ):
        with pytest.raises(AssertionError):
            check(wrong)


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    plain = list(panel_queries())
    for variable, value in WINDOWS.items():
        plain = [query.replace(variable, value) for query in plain]
    recorded = [{"record": f"panel:query:{number}", "expr": query} for number, query in enumerate(plain)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}))
    promtool("check", "rules", file)


def test_prometheus_finds_no_fault_with_what_is_exported() -> None:
    metrics = Metrics(CollectorRegistry(), ["customer.orders"], dict.fromkeys(BUILD_LABELS, "1"))
    metrics.assigned([0])
    metrics.lag("customer.orders", 0, events=1, seconds=1.0)
    promtool("check", "metrics", given=metrics.render())


# -- alert rules -------------------------------------------------------------------------------------------------------


def test_prometheus_accepts_its_configuration() -> None:
    promtool("check", "config", SCRAPE)


def test_the_rules_fire_when_they_should_and_only_then() -> None:
    promtool("test", "rules", SCENES)


def test_the_scenarios_cover_every_rule() -> None:
    scenarios = yaml.safe_load(SCENES.read_text())["tests"]
    tests = [test for scenario in scenarios for test in scenario.get("alert_rule_test", ())]
    fired = {test["alertname"] for test in tests if test["exp_alerts"]}
    assert fired == {rule["alert"] for rule in rules}


def test_all_is_well_means_that_every_rule_has_looked() -> None:
    """Nothing fires there because of what the figures say, not because there are none."""
    (well,) = [test for test in yaml.safe_load(SCENES.read_text())["tests"] if test["name"] == "all is well"]
    given = {re.sub(r"\{.*", "", series["series"]) for series in well["input_series"]}
    asked = {name for rule in rules for name in re.findall(r"\b(?:churnwatch_\w+|up(?=\{))", rule["expr"])}
    assert asked <= given


# -- runbook -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", rules, ids=lambda rule: rule["alert"])
def test_every_rule_says_what_is_wrong_and_its_page_what_to_do(rule: dict[str, Any]) -> None:
    name, labels, annotations = rule["alert"], rule["labels"], rule["annotations"]
    assert name.startswith("Churnwatch")
    assert labels["severity"] in {"critical", "warning"}
    assert annotations.keys() == {"summary", "runbook_url"}
    assert annotations["runbook_url"] == f"{{{{ $externalURL }}}}/user/runbook/{name}.md"
    page = (RUNBOOK / f"{name}.md").read_text()
    assert page.startswith(
        f"# {name}\n\nSeverity **{labels['severity']}**, after it has held for {_spoken(rule['for'])}."
    )
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == PARTS
    looking = page.partition("## What to look at")[2].partition("## What to do")[0]
    assert "```sh\n" in looking, "what to look at is a command"
    index = (RUNBOOK / "index.md").read_text()
    assert f"| [{name}]({name}.md) | {labels['severity']} | " in index


def _spoken(span: str) -> str:
    return f"{span[:-1]} {'min' if span.endswith('m') else span[-1]}"


def test_every_page_belongs_to_a_rule_in_the_order_of_the_rules() -> None:
    names = [rule["alert"] for rule in rules]
    assert {page.stem for page in RUNBOOK.iterdir()} == {*names, *PAGES_WITHOUT_RULE}
    listed = re.findall(r"^\| \[(\w+)\]", (RUNBOOK / "index.md").read_text(), re.MULTILINE)
    assert listed == names


@pytest.mark.parametrize("page", sorted(RUNBOOK.iterdir()), ids=lambda page: page.stem)
def test_a_page_names_only_settings_metrics_panels_and_pages_that_exist(page: Path) -> None:
    text = page.read_text()
    assert set(re.findall(r"\bCHURNWATCH_\w+", text)) <= {public_name(field) for field in Settings.model_fields}
    found = re.findall(r"\bchurnwatch_\w+", re.sub(r"```sh\n.*?```", "", text, flags=re.DOTALL))
    assert all(metric_of(name) for name in found), found
    assert all((page.parent / target).exists() for target in re.findall(r"\]\(([^)#:]+)\)", text))
    titles = {panel["title"] for panel in dashboard["panels"]}
    quoted = set(re.findall(r'"([A-Z][^"]+)"', text))
    assert quoted <= titles, quoted - titles


# -- dashboard ---------------------------------------------------------------------------------------------------------


def test_the_dashboard_asks_the_questions_of_those_who_look_at_it() -> None:
    rows = [panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"]
    assert rows == ["Are we keeping up?", "Are we right?", "Are we useful?"]
    places = [panel["gridPos"]["y"] for panel in dashboard["panels"] if panel["type"] == "row"]
    assert places == sorted(places)


@pytest.mark.parametrize("panel", panels, ids=lambda panel: panel["title"])
def test_every_panel_says_what_it_shows_what_is_good_and_where_to_go_on(panel: dict[str, Any]) -> None:
    told = re.fullmatch(r"(.+) Good: (.+) Runbook: (.+)", panel["description"])
    assert told is not None
    shown, good, links = told.groups()
    assert min(len(shown), len(good)) > 3
    for link in links.split(", "):
        found = re.fullmatch(r"\[(\w+)\]\(\$\{runbook\}/\1\.md\)", link)
        assert found is not None, link
        assert (RUNBOOK / f"{found[1]}.md").exists()
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]


def test_every_rule_has_a_panel_that_shows_it() -> None:
    pages = {match for panel in panels for match in re.findall(r"\$\{runbook\}/(\w+)\.md", panel["description"])}
    assert {rule["alert"] for rule in rules} <= pages


def test_prometheus_serves_the_pages_that_the_links_lead_to() -> None:
    prometheus = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["prometheus"]
    (folder,) = [word.partition("=")[2] for word in prometheus["command"] if word.startswith("--web.user-assets=")]
    assert f"./docs:{folder}:ro" in prometheus["volumes"]
    (port,) = prometheus["ports"]
    (constant,) = [one for one in dashboard["templating"]["list"] if one["name"] == "runbook"]
    assert constant["query"] == f"http://localhost:{port.split(':')[1]}/user/runbook"


def test_panels_are_told_apart_and_do_not_overlap() -> None:
    everything = dashboard["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    assert len({panel["title"] for panel in everything}) == len(everything)
    taken: set[tuple[int, int]] = set()
    for panel in everything:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_dashboard_reads_the_provisioned_source() -> None:
    provisioned = ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml"
    source = yaml.safe_load(provisioned.read_text())["datasources"][0]
    assert {panel["datasource"]["uid"] for panel in panels} == {source["uid"]}
    assert source["jsonData"]["timeInterval"] == yaml.safe_load(SCRAPE.read_text())["global"]["scrape_interval"]
