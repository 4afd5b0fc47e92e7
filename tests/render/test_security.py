"""Every pod is restricted, and nothing secret is ever in what Helm prints."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from render.chart import INIT, MLFLOW, Chart, Json, Manifest, gcs, postgres
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
    """Writable are /tmp, a store's volume, and folders for metrics, a backup, a login and an audit log."""
    for name, pod in rendered.pods():
        for container in containers(pod["spec"]):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
    volumes = {
        each["name"]
        for each in rendered.server()["volumes"]
        if "emptyDir" in each or "persistentVolumeClaim" in each
    }
    backs_up = "postgres" in [each["name"] for each in rendered.server()["initContainers"]]
    assert volumes - {"tmp", "metrics", "data", "login", "audit"} == ({"exchange"} if backs_up else set())


def secrets(pod: Json, container: Json) -> set[str]:
    """Whatever secret a container holds: in its environment, or in a file."""
    env = [entry["valueFrom"]["secretKeyRef"] for entry in container.get("env", []) if "valueFrom" in entry
           and "secretKeyRef" in entry["valueFrom"]]  # fmt: skip
    found = {f"{each['name']}/{each['key']}" for each in env}
    found |= {each["secretRef"]["name"] for each in container.get("envFrom", []) if "secretRef" in each}
    volumes = {each["name"]: each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each}
    return found | {volumes[each["name"]] for each in container["volumeMounts"] if each["name"] in volumes}


def readable(pod: Json) -> list[tuple[str, str]]:
    """Containers of which the second can read the secrets of the first from /proc."""
    shared = any(pod.get(key) for key in ("shareProcessNamespace", "hostPID"))
    users = {
        each["name"]: each["securityContext"].get("runAsUser", pod["securityContext"].get("runAsUser"))
        for each in containers(pod)
    }
    return [
        (one["name"], other["name"])
        for one in containers(pod)
        for other in containers(pod)
        if shared and users[one["name"]] == users[other["name"]] and secrets(pod, one) - secrets(pod, other)
    ]


def test_no_container_reads_the_environment_of_another(rendered: Manifest) -> None:
    """Sidecars, the user's or PostgreSQL's, see no process of the server's, with any user."""
    assert {name: readable(pod["spec"]) for name, pod in rendered.pods()} == {
        name: [] for name, _ in rendered.pods()
    }


@pytest.mark.parametrize("user", [None, 10001, 10002])
def test_that_check_can_fail(chart: Chart, user: int | None) -> None:
    own = {"securityContext": {"runAsUser": user}} if user else {}
    sidecar = {"name": "side", "image": "side", "volumeMounts": [], **own}
    spec = copy.deepcopy(chart.render({**postgres(), "extraContainers": [sidecar]}).server())
    assert readable(spec) == []
    spec["shareProcessNamespace"] = True
    assert (("mlflow", "side") in readable(spec)) is (user != 10002)


def test_a_container_beside_the_server_has_neither_its_files_nor_its_tmp(rendered: Manifest) -> None:
    """Of two that run as one user, each could change what the other reads."""
    for name in ("server", "jobs"):
        if name == "jobs" and "Deployment/mlflow-jobs" not in rendered.names():
            continue
        spec = rendered.component("Deployment", name)["spec"]["template"]["spec"]
        own = {each["name"]: {mount["name"] for mount in each["volumeMounts"]} for each in containers(spec)}
        assert "tmp" in own["mlflow" if name == "server" else "jobs"]
        assert "tmp" not in own.get("postgres", set()) | own.get("metrics", set())


def test_the_sum_of_the_workers_needs_no_key(chart: Chart) -> None:
    """The metrics container only adds up, so it has no file of a Secret, and none that values add."""
    key = {"volumes": [{"name": "vault", "secret": {"secretName": "vault"}}]}
    mount = [{"name": "vault", "mountPath": "/etc/vault"}]
    values = {**postgres(), **gcs(credentialsFromSecret={"enabled": True}), "extraVolumeMounts": mount}
    manifest = chart.render({**values, "extraVolumes": key["volumes"]})
    assert secrets(manifest.server(), manifest.container("metrics")) == set()
    assert {"vault", "mlflow-gcs-secret"} <= secrets(manifest.server(), manifest.container())


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


def test_sigterm_ends_every_container_at_any_moment(rendered: Manifest) -> None:
    """By a process 1 that is ready before Python is, in containers of the chart that stay (tests/runtime)."""
    for name, pod in rendered.pods():
        for container in containers(pod["spec"]):
            if container["name"] not in ("smoke", "log-shipper", "database-proxy"):
                assert container["command"][:2] == INIT, (name, container["name"])


def test_no_argument_takes_a_variable_in(rendered: Manifest) -> None:
    """Kubernetes would write its value, which may be a password, into the process list."""
    for name, pod in rendered.pods():
        for container in containers(pod["spec"]):
            words = container.get("command", []) + container.get("args", [])
            assert not [word for word in words if "$(" in word], (name, container["name"])


def test_secrets_come_by_reference_in_every_container() -> None:
    """The migration and the server read the same keys of the same Secrets."""
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
