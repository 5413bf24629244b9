"""The manifests are valid Kubernetes, and fit the program: settings, ports, probes, time to drain, what is scaled by what."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from churnwatch.deliver import GRACE_SECONDS, LEAVE_SECONDS
from churnwatch.settings import Settings
from churnwatch.settings_sources import public_name

FOLDER = Path(__file__).parents[2] / "deploy/kubernetes"
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
    assert set(settings) <= {public_name(field) for field in Settings.model_fields}
    for variable, value in settings.items():
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


@pytest.mark.parametrize(("name", "port"), [("churnwatch-worker", "web_port"), ("churnwatch-deliver", "webhook_port")])
def test_probes_ask_where_there_is_an_answer(name: str, port: str) -> None:
    container = container_of(name)
    assert container["ports"] == [{"name": "web", "containerPort": Settings.model_fields[port].default}]
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/healthz", "port": "web"}
    assert settings["CHURNWATCH_WEB_HOST"] == "0.0.0.0"


def test_a_stop_has_the_time_that_it_takes() -> None:
    fields = Settings.model_fields
    worker, deliver = (pods[f"churnwatch-{name}"]["spec"] for name in ("worker", "deliver"))
    assert 1000 * worker["terminationGracePeriodSeconds"] > fields["drain_ms"].default
    allowed = fields["webhook_timeout_ms"].default + 1000 * (GRACE_SECONDS + LEAVE_SECONDS)
    assert 1000 * deliver["terminationGracePeriodSeconds"] > allowed


def test_selectors_find_their_pods() -> None:
    labels = pods["churnwatch-worker"]["metadata"]["labels"]
    assert manifests["Service", "churnwatch-worker"]["spec"]["selector"] == labels
    assert manifests["PodDisruptionBudget", "churnwatch-worker"]["spec"]["selector"]["matchLabels"] == labels
    assert manifests["NetworkPolicy", "churnwatch-worker"]["spec"]["podSelector"]["matchLabels"] == labels


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
