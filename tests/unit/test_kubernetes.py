"""The manifests are valid Kubernetes, and fit the program: settings, ports, probes, time to drain, what is scaled by what."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer.main
import yaml

from churnwatch.cli import app
from churnwatch.console_serve import STOP_SECONDS
from churnwatch.deliver import GRACE_SECONDS, LEAVE_SECONDS
from churnwatch.settings import Settings
from churnwatch.settings_sources import public_name

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/kubernetes"
SERVED = [
    ("churnwatch-worker", "web_port", "/healthz"),
    ("churnwatch-deliver", "webhook_port", "/healthz"),
    ("churnwatch-bi", "bi_port", "/healthz"),
    ("churnwatch-console", "console_port", "/sign-in"),
]
SCALED_OBJECT = {
    "scaleTargetRef",
    "pollingInterval",
    "minReplicaCount",
    "maxReplicaCount",
    "fallback",
    "advanced",
    "triggers",
}
KAFKA_TRIGGER = {"bootstrapServers", "consumerGroup", "topic", "lagThreshold", "offsetResetPolicy", "sasl", "tls"}
"""What KEDA 2 takes (keda.sh/docs, ScaledObject and Apache Kafka), of that what means something where there is always a worker."""

MEASURED = ("a customer in a worker's memory, bytes", "a worker without customers, MB")
VERSION = "1.36"
CUSTOM = {"ScaledObject"}
"""Kinds that Kubernetes itself does not know."""

kustomization: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())


def _all() -> Iterator[dict[str, Any]]:
    for file in kustomization["resources"]:
        yield from yaml.safe_load_all((FOLDER / file).read_text())


manifests = {(one["kind"], one["metadata"]["name"]): one for one in _all()}
pods: dict[str, dict[str, Any]] = {
    name: one["spec"]["template"] for (kind, name), one in manifests.items() if kind in {"Deployment", "Job"}
}
settings: dict[str, str] = manifests["ConfigMap", "churnwatch"]["data"]


def container_of(name: str) -> dict[str, Any]:
    (container,) = pods[name]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


def test_every_file_is_part_of_the_whole() -> None:
    assert sorted([*kustomization["resources"], "kustomization.yaml"]) == sorted(p.name for p in FOLDER.iterdir())
    assert [image["name"] for image in kustomization["images"]] == ["churnwatch"]


@pytest.mark.parametrize("key", [key for key in manifests if key[0] not in CUSTOM], ids="/".join)
def test_kubernetes_knows_every_field(key: tuple[str, str]) -> None:
    kubernetes_validate.validate(manifests[key], VERSION, strict=True)


def test_the_check_above_sees_what_is_wrong() -> None:
    worker = manifests["Deployment", "churnwatch-worker"]
    wrong = {**worker, "spec": {**worker["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


def test_settings_exist_and_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {one["name"]: one["value"] for name in pods for one in container_of(name).get("env", ())}
    assert not own.keys() & settings.keys()
    assert set(settings | own) <= {public_name(field) for field in Settings.model_fields}
    for variable, value in (settings | own).items():
        monkeypatch.setenv(variable, value)
    assert Settings().clock == "live"


@pytest.mark.parametrize("name", pods)
def test_every_container_is_unprivileged_and_bounded(name: str) -> None:
    pod, container = pods[name]["spec"], container_of(name)
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["image"] == "churnwatch"
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert "memory" in container["resources"]["limits"]
    assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]
    assert {"secretRef": {"name": "churnwatch", "optional": True}} in container["envFrom"]
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}


@pytest.mark.parametrize("name", [name for name in pods if name != "churnwatch-topics"])
def test_every_container_runs_a_command_that_exists(name: str) -> None:
    command: Any = typer.main.get_command(app)
    first, *words = container_of(name)["args"]
    assert first == "churnwatch"
    for word in words:
        command = command.commands[word]


@pytest.mark.parametrize(("name", "port", "path"), SERVED)
def test_probes_ask_where_there_is_an_answer(name: str, port: str, path: str) -> None:
    container = container_of(name)
    number = Settings.model_fields[port].default
    assert container["ports"] == [{"name": "web", "containerPort": number}]
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": path, "port": "web"}
    assert manifests["Service", name]["spec"]["ports"] == [{"name": "web", "port": number}]
    own = {one["name"]: one["value"] for one in container.get("env", ())}
    assert (settings | own)["CHURNWATCH_CONSOLE_HOST" if "console" in name else "CHURNWATCH_WEB_HOST"] == "0.0.0.0"


def test_a_stop_has_the_time_that_it_takes() -> None:
    fields = Settings.model_fields
    seconds = {
        name: pods[f"churnwatch-{name}"]["spec"]["terminationGracePeriodSeconds"]
        for name in ("worker", "deliver", "console")
    }
    assert 1000 * seconds["worker"] > fields["drain_ms"].default
    assert 1000 * seconds["deliver"] > fields["webhook_timeout_ms"].default + 1000 * (GRACE_SECONDS + LEAVE_SECONDS)
    assert seconds["console"] > STOP_SECONDS


@pytest.mark.parametrize("name", [name for name, *_ in SERVED])
def test_selectors_find_their_pods(name: str) -> None:
    labels = pods[name]["metadata"]["labels"]
    assert manifests["Deployment", name]["spec"]["selector"]["matchLabels"] == labels
    assert manifests["Service", name]["spec"]["selector"] == labels
    assert manifests["NetworkPolicy", name]["spec"]["podSelector"]["matchLabels"] == labels


def test_one_worker_at_a_time_is_taken_away() -> None:
    budget = manifests["PodDisruptionBudget", "churnwatch-worker"]["spec"]
    assert budget["selector"]["matchLabels"] == pods["churnwatch-worker"]["metadata"]["labels"]
    update = manifests["Deployment", "churnwatch-worker"]["spec"]["strategy"]["rollingUpdate"]
    assert budget["maxUnavailable"] == update["maxUnavailable"] == 1
    assert update["maxSurge"] == 0


def test_a_worker_gets_what_scaling_says_that_it_takes() -> None:
    """A core, and room for itself and for the customers that it keeps in memory; but not much more, for that is paid for."""
    page = (ROOT / "docs/scaling.md").read_text()
    figures = dict(re.findall(r"^\| (a [^|]+) \| ([\d,]+) \|$", page, re.MULTILINE))
    customer, bare_mb = (int(figures[row].replace(",", "")) for row in MEASURED)
    needed = bare_mb * 1_000_000 + customer * Settings.model_fields["cache_customers_max"].default
    resources = container_of("churnwatch-worker")["resources"]
    assert resources["requests"]["cpu"] == "1"
    assert needed < _bytes(resources["requests"]["memory"]) < 2 * needed
    assert _bytes(resources["limits"]["memory"]) == 2 * _bytes(resources["requests"]["memory"])
    assert "cpu" not in resources["limits"]


def _bytes(quantity: str) -> int:
    return int(quantity[:-2]) << {"Mi": 20, "Gi": 30}[quantity[-2:]]


def test_workers_are_scaled_by_the_lag_of_their_own_group() -> None:
    spec = manifests["ScaledObject", "churnwatch-worker"]["spec"]
    assert ("Deployment", spec["scaleTargetRef"]["name"]) in manifests
    assert "replicas" not in manifests["Deployment", "churnwatch-worker"]["spec"], "an apply would undo the scaling"
    assert 1 <= spec["minReplicaCount"] <= spec["maxReplicaCount"] == Settings.model_fields["topic_partitions"].default
    (trigger,) = spec["triggers"]
    assert trigger["type"] == "kafka"
    assert trigger["metadata"]["bootstrapServers"] == settings["CHURNWATCH_KAFKA_BOOTSTRAP"]
    assert trigger["metadata"]["consumerGroup"] == Settings.model_fields["kafka_group_id"].default
    assert all(isinstance(value, str) for value in trigger["metadata"].values()), "KEDA takes nothing but texts"


def test_keda_knows_every_field() -> None:
    """Kubernetes' schemas do not hold KEDA's own kind; but what it makes of it is Kubernetes' again."""
    spec = manifests["ScaledObject", "churnwatch-worker"]["spec"]
    assert spec.keys() <= SCALED_OBJECT
    assert spec["triggers"][0]["metadata"].keys() <= KAFKA_TRIGGER
    (made,) = spec["advanced"].values()
    target = {"apiVersion": "apps/v1", "kind": "Deployment", **spec["scaleTargetRef"]}
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "keda-hpa"},
        "spec": {"scaleTargetRef": target, "maxReplicas": spec["maxReplicaCount"], **made},
    }
    kubernetes_validate.validate(autoscaler, VERSION, strict=True)
