"""The Kubernetes manifests render, are valid, and agree with the services that they start."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml

from voicemesh_chassis.variables import variables
from voicemesh_models import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voicemesh_chassis.settings import ServiceSettings

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).resolve().parents[2]
K8S = ROOT / "deploy" / "k8s"
KUSTOMIZATIONS = sorted(
    str(path.parent.relative_to(K8S)) for path in K8S.rglob("kustomization.yaml")
)
VERSIONS = ("1.31", "1.37")  # the oldest with everything that is used, and the newest with schemas
SERVICES = ("bot", "stt", "trainer", "tts")
PRE_STOP_S = 5
CUT_S = 5  # what the chassis allows handlers and transport after the drain
Manifest = dict[str, Any]


@cache
def rendered(name: str) -> str:
    """What kubectl makes of a kustomization."""
    if shutil.which("kubectl") is None:
        if os.environ.get("VOICEMESH_REQUIRE_TOOLS") == "1":
            pytest.fail("kubectl is required and is not installed")
        pytest.skip("kubectl is not installed")
    done = subprocess.run(
        ["kubectl", "kustomize", str(K8S / name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr  # kustomize tells of deprecated fields here
    return done.stdout


def render(name: str) -> list[Manifest]:
    return list(yaml.safe_load_all(rendered(name)))


def settings_of(service: str) -> type[ServiceSettings]:
    module = importlib.import_module(f"voicemesh_{service}.settings")
    settings: type[ServiceSettings] = getattr(module, f"{service.capitalize()}Settings")
    return settings


def names_of(service: str) -> set[str]:
    """Every environment variable that a service reads."""
    return {variable.name for variable in variables(settings_of(service))}


def workload(service: str) -> Manifest:
    found = [
        item
        for item in render("base")
        if item["kind"] in {"Deployment", "StatefulSet"} and item["metadata"]["name"] == service
    ]
    assert len(found) == 1
    return found[0]


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for item in manifests:
        if "template" in item.get("spec", {}):
            yield item["metadata"]["name"], item["spec"]["template"]["spec"]


def containers(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for name, pod in pods(manifests):
        for container in pod.get("initContainers", []) + pod["containers"]:
            yield f"{name}/{container['name']}", container


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_every_object_is_valid_and_has_no_unknown_field(name: str, version: str) -> None:
    manifests = render(name)
    assert manifests
    for manifest in manifests:
        # Raises for a kind without a schema too, which the command line only warns of.
        validated = kubernetes_validate.validate(manifest, version, strict=True)
        assert validated == version


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_no_container_is_privileged_writes_to_its_root_or_lacks_a_limit(name: str) -> None:
    manifests = render(name)
    for owner, pod in pods(manifests):
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True, owner
        assert context["runAsUser"] == 10001, owner
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, owner
        assert pod["automountServiceAccountToken"] is False, owner
    for owner, container in containers(manifests):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False, owner
        assert context["readOnlyRootFilesystem"] is True, owner
        assert context["capabilities"] == {"drop": ["ALL"]}, owner
        assert "memory" in container["resources"]["limits"], owner
        assert "memory" in container["resources"]["requests"], owner


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_every_image_is_pinned_by_a_version(name: str) -> None:
    for owner, container in containers(render(name)):
        _, _, tag = container["image"].partition(":")
        assert tag, f"{owner}: {container['image']}"
        assert tag != "latest", owner


@pytest.mark.parametrize("service", SERVICES)
def test_ports_and_probes_are_those_of_the_service(service: str) -> None:
    server = settings_of(service)().server
    container = workload(service)["spec"]["template"]["spec"]["containers"][0]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": server.port, "metrics": server.metrics_port}
    assert container["startupProbe"]["grpc"]["port"] == server.port
    assert container["readinessProbe"]["grpc"]["port"] == server.port
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "metrics"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_pod_has_time_to_drain(service: str) -> None:
    server = settings_of(service)().server
    pod = workload(service)["spec"]["template"]["spec"]
    pre_stop = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pre_stop == PRE_STOP_S
    needed = pre_stop + server.drain_timeout_s + CUT_S + server.stop_timeout_s
    assert pod["terminationGracePeriodSeconds"] > needed


@pytest.mark.parametrize("service", SERVICES)
def test_every_variable_of_the_service_is_one_that_it_knows(service: str) -> None:
    container = workload(service)["spec"]["template"]["spec"]["containers"][0]
    names = {variable["name"] for variable in container.get("env", [])}
    assert names <= names_of(service)


@pytest.mark.parametrize("service", SERVICES)
def test_the_service_is_headless_and_selects_its_pods(service: str) -> None:
    manifests = render("base")
    found = [
        item
        for item in manifests
        if item["kind"] == "Service" and item["metadata"]["name"] == service
    ]
    assert len(found) == 1
    spec = found[0]["spec"]
    labels = workload(service)["spec"]["template"]["metadata"]["labels"]
    assert spec["clusterIP"] == "None"
    assert spec["selector"].items() <= labels.items()
    named = {
        port["name"]
        for port in workload(service)["spec"]["template"]["spec"]["containers"][0]["ports"]
    }
    assert {port["targetPort"] for port in spec["ports"]} <= named


def test_the_pods_wait_for_the_models_that_the_job_pulls() -> None:
    waited_for: list[str] = []
    for service in ("stt", "tts", "trainer"):
        command = workload(service)["spec"]["template"]["spec"]["initContainers"][0]["command"]
        verified = re.search(r"voicemesh-models verify ([^;]+);", command[-1])
        assert verified is not None
        waited_for.extend(verified[1].split())
    assert sorted(waited_for) == sorted(load_catalogue().expand(["default"]))


@pytest.mark.parametrize("service", ["stt", "trainer", "tts"])
def test_the_bot_calls_every_address_of_a_service(service: str) -> None:
    container = workload("bot")["spec"]["template"]["spec"]["containers"][0]
    given = {variable["name"]: variable.get("value") for variable in container["env"]}
    port = settings_of(service)().server.port
    assert given[f"VOICEMESH_BOT_{service.upper()}__TARGET"] == f"dns:///{service}:{port}"


def test_one_bot_ends_before_the_next_one_starts() -> None:
    bot = workload("bot")
    assert bot["kind"] == "StatefulSet"
    assert bot["spec"]["replicas"] == 1


def test_all_uploads_at_once_fit_into_the_spool_volume_of_stt() -> None:
    pod = workload("stt")["spec"]["template"]["spec"]
    container = pod["containers"][0]
    given = {variable["name"]: variable["value"] for variable in container["env"]}
    directory = given["VOICEMESH_STT_SPOOL_DIR"]
    name = next(m["name"] for m in container["volumeMounts"] if m["mountPath"] == directory)
    volume = next(volume for volume in pod["volumes"] if volume["name"] == name)
    size = volume["emptyDir"]["sizeLimit"]
    assert size.endswith("Gi")
    needed = int(given["VOICEMESH_STT_MAX_FILES"]) * int(given["VOICEMESH_STT_MAX_FILE_BYTES"])
    # Above it the pod is evicted, with all calls of others.
    assert needed < int(size.removesuffix("Gi")) << 30


def test_what_guilds_decided_outlives_the_pod() -> None:
    bot = workload("bot")
    container = bot["spec"]["template"]["spec"]["containers"][0]
    given = {variable["name"]: variable.get("value") for variable in container["env"]}
    directory = given["VOICEMESH_BOT_STORAGE__DATA_DIR"]
    name = next(m["name"] for m in container["volumeMounts"] if m["mountPath"] == directory)
    assert [claim["metadata"]["name"] for claim in bot["spec"]["volumeClaimTemplates"]] == [name]


def test_what_people_teach_outlives_the_pod_and_has_one_trainer_at_a_time() -> None:
    trainer = workload("trainer")
    assert trainer["spec"]["replicas"] == 1
    assert trainer["spec"]["strategy"] == {"type": "Recreate"}  # one at a time on the volume
    pod = trainer["spec"]["template"]["spec"]
    container = pod["containers"][0]
    given = {variable["name"]: variable.get("value") for variable in container["env"]}
    directory = given["VOICEMESH_TRAINER_STORAGE__DATA_DIR"]
    name = next(m["name"] for m in container["volumeMounts"] if m["mountPath"] == directory)
    volume = next(volume for volume in pod["volumes"] if volume["name"] == name)
    claim = volume["persistentVolumeClaim"]["claimName"]
    assert any(
        item["kind"] == "PersistentVolumeClaim" and item["metadata"]["name"] == claim
        for item in render("base")
    )
