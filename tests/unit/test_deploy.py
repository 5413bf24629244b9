"""What is deployed fits the program: Dockerfile, compose file, what is mounted and passed on.

No Docker engine is needed: what the engine would read is checked for what would otherwise go wrong silently.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from churnwatch.deliver import GRACE_SECONDS, LEAVE_SECONDS
from churnwatch.settings import Settings
from churnwatch.settings_sources import public_name

ROOT = Path(__file__).parents[2]
SCRAPE = ROOT / "deploy/prometheus/prometheus.yml"
DOCKERFILE = ROOT / "deploy/Dockerfile"

compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
services: dict[str, dict[str, Any]] = compose["services"]


def test_the_services_are_those_of_the_documentation() -> None:
    ours = {"init", "worker", "console", "deliver", "bi"}
    assert {name for name, service in services.items() if "build" in service} == ours
    assert set(services) - ours == {"kafka", "redis", "postgres", "prometheus", "grafana"}
    asked_for = {name: service["profiles"] for name, service in services.items() if "profiles" in service}
    assert asked_for == {"deliver": ["deliver"], "bi": ["bi"], "postgres": ["bi"]}


@pytest.mark.parametrize("name", services)
def test_every_service_is_pinned_bounded_watched_and_restarted(name: str) -> None:
    service = services[name]
    tag = service["image"].rpartition(":")[2]
    assert tag == "local" if "build" in service else re.match(r"v?\d+\.\d+", tag)
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert service["logging"]["options"]["max-size"]
    if name == "init":
        assert service["restart"].startswith("on-failure:")
    else:
        assert service["restart"] == "unless-stopped"
        assert "build" in service or service["healthcheck"]["test"]


@pytest.mark.parametrize("name", services)
def test_ports_open_on_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in services[name].get("ports", ()))


@pytest.mark.parametrize("name", services)
def test_services_wait_for_what_they_need_and_it_can_be_waited_for(name: str) -> None:
    for needed, how in services[name].get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "test" in services[needed]["healthcheck"]
        else:
            assert how["condition"] == "service_completed_successfully"
            assert services[needed]["restart"] != "unless-stopped", "a job that is restarted never completes"


def test_named_volumes_and_mounted_folders_exist() -> None:
    for service in services.values():
        for mount in service.get("volumes", ()):
            source = mount.partition(":")[0]
            assert source in compose["volumes"] or (ROOT / source).is_dir()


def test_grafana_finds_its_dashboard() -> None:
    provider = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/churnwatch.yml").read_text())
    mounts = dict(mount.split(":")[:2] for mount in services["grafana"]["volumes"])
    folder = provider["providers"][0]["options"]["path"]
    assert mounts["./deploy/grafana/dashboards"] == folder
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    assert services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"].startswith(folder)


@pytest.mark.parametrize("name", ["worker", "init", "console", "bi"])
def test_settings_passed_on_exist_and_are_valid(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment: dict[str, str] = services[name]["environment"]
    known = {public_name(field) for field in Settings.model_fields}
    assert set(environment) <= known
    for variable, value in environment.items():
        monkeypatch.setenv(variable, re.sub(r"\$\{\w+:-(\w*)\}", r"\1", value))
    settings = Settings()
    assert settings.clock == "replay"
    assert settings.redis_url == "redis://redis:6379/0"


def test_the_worker_has_the_time_to_drain() -> None:
    grace_ms = 1000 * int(services["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace_ms > Settings.model_fields["drain_ms"].default


def test_deliver_is_asked_for_and_has_the_time_to_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    deliver = services["deliver"]
    assert deliver["profiles"] == ["deliver"], "without a receiver it would only end and be started again"
    port = Settings.model_fields["webhook_port"].default
    assert deliver["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f":{port}/healthz" in deliver["healthcheck"]["test"][-1]
    grace_ms = 1000 * int(deliver["stop_grace_period"].removesuffix("s"))
    assert grace_ms > Settings.model_fields["webhook_timeout_ms"].default + 1000 * (GRACE_SECONDS + LEAVE_SECONDS)
    for variable, value in deliver["environment"].items():
        monkeypatch.setenv(variable, re.sub(r"\$\{\w+:-(\w*)\}", r"\1", value))
    assert Settings().webhook_format == "json"


@pytest.mark.parametrize(
    ("name", "port", "path"), [("console", "console_port", "/sign-in"), ("bi", "bi_port", "/healthz")]
)
def test_what_people_and_reports_use_is_open_where_it_serves(name: str, port: str, path: str) -> None:
    number = Settings.model_fields[port].default
    assert services[name]["ports"] == [f"127.0.0.1:{number}:{number}"]
    assert f"127.0.0.1:{number}{path}" in services[name]["healthcheck"]["test"][-1]


def test_the_sink_writes_where_postgres_keeps() -> None:
    kept = services["postgres"]["environment"]
    address = urlsplit(services["bi"]["environment"]["CHURNWATCH_BI_URL"].replace("${BI_PASSWORD:-}", "secret"))
    assert (address.hostname, address.username, address.path) == (
        "postgres",
        kept["POSTGRES_USER"],
        f"/{kept['POSTGRES_DB']}",
    )
    assert kept["POSTGRES_PASSWORD"] == "${BI_PASSWORD:-}"
    assert services["bi"]["depends_on"]["postgres"] == {"condition": "service_healthy"}


def test_no_password_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert re.search(r"GF_SECURITY_ADMIN_PASSWORD: \$\{GRAFANA_PASSWORD:\?", text)
    assert not re.search(r"(?i)password: (?!\$\{)", text)


def test_redis_never_forgets() -> None:
    command = services["redis"]["command"]
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_kafka_keeps_what_redis_is_rebuilt_from() -> None:
    environment = services["kafka"]["environment"]
    assert environment["KAFKA_LOG_RETENTION_MS"] == -1
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    spoken = {listener.partition(":")[0] for listener in environment["KAFKA_LISTENERS"].split(",")}
    mapped = {pair.partition(":")[0] for pair in environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")}
    assert spoken == mapped


@pytest.mark.parametrize(
    ("job", "name", "field"),
    [
        ("churnwatch", "worker", "web_port"),
        ("churnwatch-deliver", "deliver", "webhook_port"),
        ("churnwatch-bi", "bi", "bi_port"),
    ],
)
def test_prometheus_finds_every_program_that_counts(job: str, name: str, field: str) -> None:
    jobs = {found["job_name"]: found for found in yaml.safe_load(SCRAPE.read_text())["scrape_configs"]}
    port = Settings.model_fields[field].default
    assert jobs[job]["dns_sd_configs"][0]["names"] == [name]
    assert jobs[job]["dns_sd_configs"][0]["port"] == port
    assert services[name]["ports"][0].endswith(f":{port}")


def test_the_image_is_small_and_not_root() -> None:
    text = DOCKERFILE.read_text()
    stages = re.split(r"(?m)^FROM ", text)[1:]
    assert len(stages) == 2
    assert {stage.split()[0] for stage in stages} == {"python:3.12-slim"}
    last = stages[-1]
    assert re.search(r"(?m)^USER 10001", last)
    assert last.index("\nUSER") < last.index("\nCMD")
    assert "pip" not in last
    assert f"127.0.0.1:{Settings.model_fields['web_port'].default}/healthz" in last


def test_the_builder_gets_what_it_copies_and_nothing_else() -> None:
    copied = {
        source.rstrip("/")
        for line in re.findall(r"(?m)^COPY (?!--from)(.+)$", DOCKERFILE.read_text())
        for source in line.split()[:-1]
    }
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*", "everything is left out first"
    assert {line[1:].rstrip("/") for line in lines if line.startswith("!")} == copied
    workshop = {"tests", "bench", "tools", "simulation", "chaos", "fuzz"}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - workshop
    assert packages <= copied, "a package is missing in the image"
    assert [source for source in copied if not (ROOT / source).exists()] == []
