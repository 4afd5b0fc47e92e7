"""The health check on a real deployment: healthy, unhealthy, absent, and by an account with few rights."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.leaks import remove
from e2e.reader import as_reader
from e2e.up import run

NAMESPACE = "health"
SERVER = ["rollout", "pods", "endpoints", "health", "version", "database", "artifacts"]
INSIDE = ["schema", "volume"]
"""What a server pod is asked by an exec."""
CHECKS = [*SERVER, *INSIDE, "metrics", "stores", "logging"]


@pytest.fixture(scope="module", autouse=True)
def deployed(kube: Kube, helm: Helm) -> Iterator[None]:
    """The chart's default, under a path of its own."""
    kube.create_namespace(NAMESPACE)
    helm.install(NAMESPACE, {"mlflow": {"staticPrefix": "/ml"}})
    yield
    remove(kube, NAMESPACE)


def health(kubeconfig: Path, words: str = f"--namespace {NAMESPACE}") -> tuple[int, dict[str, Any]]:
    done = run(f"mlflowops health --output json {words}", kubeconfig, check=False)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    return done.returncode, {check["name"]: check for check in report["checks"]}


def test_a_healthy_deployment(kubeconfig: Path) -> None:
    code, checks = health(kubeconfig)
    assert {name: check["status"] for name, check in checks.items()} == dict.fromkeys(CHECKS, "ok")
    assert code == 0


def test_the_namespace_may_come_from_the_environment(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_NAMESPACE", NAMESPACE)
    assert health(kubeconfig, "")[0] == 0
    monkeypatch.setenv("MLFLOW_NAMESPACE", "nowhere")
    assert run("mlflowops health", kubeconfig, check=False).returncode == 2


def test_nothing_to_check(kubeconfig: Path) -> None:
    done = run(f"mlflowops health --namespace {NAMESPACE} --release other", kubeconfig, check=False)
    assert done.returncode == 2
    assert f"mlflowops: deployment/other: not in namespace '{NAMESPACE}'; deploy it" in done.stderr


def test_few_rights_are_enough(kubeconfig: Path, tmp_path: Path) -> None:
    """All but what takes an exec."""
    code, checks = health(as_reader(NAMESPACE, kubeconfig, tmp_path))
    states = {name: check["status"] for name, check in checks.items()}
    assert states == {**dict.fromkeys(CHECKS, "ok"), **dict.fromkeys(INSIDE, "unknown")}
    assert "pods/exec" in checks["schema"]["fix"]
    assert code == 0


def test_a_missing_secret_is_named(kube: Kube, helm: Helm, kubeconfig: Path) -> None:
    """The old pod still serves; the new one says what it lacks."""
    helm.install(NAMESPACE, {"mlflow": {"envFrom": [{"secretRef": {"name": "absent"}}]}}, wait="")
    eventually(lambda: "absent" in health(kubeconfig)[1]["pods"]["detail"], 60, "the missing Secret is named")
    code, checks = health(kubeconfig)
    assert code == 1
    assert checks["pods"]["status"] == "red"
    assert "create the Secret" in checks["pods"]["fix"]
    helm("rollback", "mlflow", "--namespace", NAMESPACE, "--wait")
    assert health(kubeconfig)[0] == 0


def test_scaled_to_nothing(kube: Kube, kubeconfig: Path) -> None:
    kube.apps.patch_namespaced_deployment_scale("mlflow", NAMESPACE, {"spec": {"replicas": 0}})
    eventually(lambda: not kube.pods(NAMESPACE), 60, "no pods")
    code, checks = health(kubeconfig, f"--namespace {NAMESPACE} --timeout 5")
    assert code == 1
    states = {name: check["status"] for name, check in checks.items()}
    red = dict.fromkeys(["rollout", "pods", "endpoints", "health"], "red")
    assert states == {**red, "schema": "unknown", "volume": "unknown"}
    assert all(check["fix"] for check in checks.values())
