"""docs/platform.md: production's shape on a laptop, by the values that the page names."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflowops.paths import REPO

from e2e.exposure import post
from e2e.kube import Kube, eventually
from e2e.leaks import remove
from e2e.platform import Platform
from e2e.up import run

NAMESPACE = "everything"
URL = "https://mlflow.localhost"
COMMAND = "mlflowops helmfile -e local -l name=mlflow apply --values examples/platform/everything.yaml"


@pytest.fixture(scope="module", autouse=True)
def everything(kube: Kube, platform: Platform, kubeconfig: Path) -> Iterator[None]:
    """As the page has it, in a namespace of its own: its stores are there and not in `ml`."""
    run(f"mlflowops helmfile -e local -n {NAMESPACE} -l name!=mlflow apply", kubeconfig)
    stores = {
        "backendStore.postgres.host": f"postgres.{NAMESPACE}.svc.cluster.local",
        "artifactStore.s3.endpoint": f"http://seaweedfs.{NAMESPACE}.svc.cluster.local:8333",
    }
    here = " ".join(f"--set {key}={value}" for key, value in stores.items())
    run(f"{COMMAND.replace('local', f'local -n {NAMESPACE}', 1)} {here}", kubeconfig)
    yield
    remove(kube, NAMESPACE)


def test_the_page_has_the_command() -> None:
    assert COMMAND in (REPO / "docs/platform.md").read_text()
    assert COMMAND in (REPO / "examples/platform/everything.yaml").read_text()


def test_health_looks_at_all_of_it_and_nothing_is_red(kubeconfig: Path) -> None:
    """No DNS knows the Ingress here, and the drill has not had its hour: both stay unknown."""
    for task in ("backup", "retention"):
        job = f"kubectl create job -n {NAMESPACE} --from=cronjob/mlflow-{task} {task}-now"
        run(
            f"{job} && kubectl wait -n {NAMESPACE} job/{task}-now --for=condition=Complete --timeout=180s",
            kubeconfig,
        )

    def lines() -> dict[str, str]:
        done = run(f"mlflowops health --namespace {NAMESPACE} --output json", kubeconfig, check=False)
        found = {each["name"]: each["status"] for each in json.loads(done.stdout)["checks"]}
        return found if "red" not in found.values() and found.get("backup") == "ok" else {}

    found = eventually(lines, 90, "no red line, and a backup that is seen", every=5)
    assert {name for name, status in found.items() if status == "ok"} >= {
        "rollout", "database", "artifacts", "schema", "autoscaling", "disruption", "backup", "jobs",
    }  # fmt: skip


def test_people_come_in_by_tls_and_prometheus_by_its_monitor(platform: Platform) -> None:
    assert platform.served(f"{URL}/health").text == "OK"
    assert post(platform, URL, URL) == 200
    query = f'up{{namespace="{NAMESPACE}"}}'
    eventually(lambda: {each["value"][1] for each in platform.query(query)} == {"1"}, 120, query)
