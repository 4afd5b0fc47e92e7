"""Every pod is restricted, and nothing secret is ever in what Helm prints."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from render.chart import MLFLOW, Chart, Json, Manifest
from render.pss import restricted

# GOOGLE_APPLICATION_CREDENTIALS is the path of a file.
SECRET = re.compile("PASSWORD|SECRET|TOKEN|_KEY|CREDENTIAL(?!S$)")


def containers(spec: Json) -> list[Json]:
    return spec.get("initContainers", []) + spec["containers"]


def test_every_pod_is_restricted(rendered: Manifest) -> None:
    pods = list(rendered.pods())
    assert len(pods) >= 2
    assert {name: restricted(pod["spec"]) for name, pod in pods} == {name: [] for name, _ in pods}


def test_local_pods_are_restricted(any_chart: Chart) -> None:
    for name, pod in any_chart.render().pods():
        assert not restricted(pod["spec"]), name


LOOSENED: dict[str, Callable[[Any], Any]] = {
    "hostNetwork": lambda spec: spec.update(hostNetwork=True),
    "volume host": lambda spec: spec["volumes"].append({"name": "host", "hostPath": {"path": "/"}}),
    "pod runs as user 0": lambda spec: spec["securityContext"].update(runAsUser=0),
    "mlflow: runAsNonRoot": lambda spec: spec["securityContext"].pop("runAsNonRoot"),
    "mlflow: seccompProfile": lambda spec: spec["securityContext"].pop("seccompProfile"),
    "mlflow: privileged": lambda spec: spec["containers"][0]["securityContext"].update(privileged=True),
    "schema: allowPrivilegeEscalation": lambda spec: spec["initContainers"][0].pop("securityContext"),
    "mlflow: capabilities": lambda spec: spec["containers"][0]["securityContext"].update(
        capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}
    ),
    "mlflow: hostPort": lambda spec: spec["containers"][0]["ports"][0].update(hostPort=80),
}


@pytest.mark.parametrize("wrong", LOOSENED)
def test_the_check_can_fail(chart: Chart, wrong: str) -> None:
    spec = copy.deepcopy(chart.render().server())
    LOOSENED[wrong](spec)
    assert wrong in restricted(spec)


def test_every_container_has_a_read_only_root(rendered: Manifest) -> None:
    """Writable are /tmp, the folders that containers share for metrics and a backup, and a store's volume."""
    for name, pod in rendered.pods():
        for container in containers(pod["spec"]):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
    volumes = {
        each["name"]
        for each in rendered.server()["volumes"]
        if "emptyDir" in each or "persistentVolumeClaim" in each
    }
    backs_up = "postgres" in [each["name"] for each in rendered.server()["initContainers"]]
    assert volumes - {"tmp", "metrics", "data"} == ({"exchange"} if backs_up else set())


def test_no_pod_talks_to_the_kubernetes_api(rendered: Manifest) -> None:
    for name, pod in rendered.pods():
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        assert pod["spec"]["enableServiceLinks"] is False, name
    accounts = [item for item in rendered.objects if item["kind"] == "ServiceAccount"]
    assert all(account["automountServiceAccountToken"] is False for account in accounts)


def test_the_chart_makes_no_secret(rendered: Manifest) -> None:
    """No object of kind Secret, no variable that sounds like one with a value in the open."""
    assert "Secret" not in {item["kind"] for item in rendered.objects}
    for name, pod in rendered.pods():
        for container in containers(pod["spec"]):
            for variable in container["env"]:
                assert not (SECRET.search(variable["name"]) and "value" in variable), (name, variable)


def test_no_argument_takes_a_variable_in(rendered: Manifest) -> None:
    """Kubernetes would write its value, which may be a password, into the process list."""
    for name, pod in rendered.pods():
        for container in containers(pod["spec"]):
            words = container.get("command", []) + container.get("args", [])
            assert not [word for word in words if "$(" in word], (name, container["name"])


def test_secrets_come_by_reference_in_every_container() -> None:
    """The schema step and the server read the same keys of the same Secrets."""
    manifest = MLFLOW.render(Path(MLFLOW.folder / "ci/verified-tls-values.yaml"))
    for container in ("schema", "mlflow"):
        sources = {
            entry["name"]: entry["valueFrom"]["secretKeyRef"]
            for entry in manifest.container(container)["env"]
            if "secretKeyRef" in entry.get("valueFrom", {})
        }
        assert sources == {
            "PGPASSWORD": {"name": "rds", "key": "tracker-password"},
            "AWS_ACCESS_KEY_ID": {"name": "minio-user", "key": "user"},
            "AWS_SECRET_ACCESS_KEY": {"name": "minio-user", "key": "secret"},
        }


def test_identity_of_the_cloud_needs_no_secret() -> None:
    manifest = MLFLOW.render(Path(MLFLOW.folder / "ci/cloud-identity-values.yaml"))
    assert "secretKeyRef" not in manifest.text
    assert not SECRET.search(" ".join(manifest.env()))
