"""MLflow with every Secret from a vault, by the real operator: late, arrived, rotated, lost."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from psycopg2 import sql

from e2e.forward import port_forward
from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.leaks import remove
from e2e.platform import Platform
from e2e.stores import NASTY, Database, admin, shared_stores
from e2e.up import run

NAMESPACE = "external-secrets-test"
POSTGRES, S3 = "mlflow-postgres-secret", "mlflow-s3-secret"
VAULT = {"enabled": True, "keyPrefix": "vault-", "secretStoreRef": {"name": "vault", "kind": "SecretStore"}}
SEARCH = "/api/2.0/mlflow/experiments/get?experiment_id=0"


@pytest.fixture(scope="module")
def database(kube: Kube) -> Database:
    return Database.create(kube, NAMESPACE.replace("-", "_"))


@pytest.fixture(scope="module", autouse=True)
def installed(platform: Platform, kube: Kube, helm: Helm, database: Database) -> Iterator[None]:
    """A release whose vault has S3's keys and not yet the password. The vault: Secrets called vault-*."""
    kube.create_namespace(NAMESPACE)
    platform.apply(NAMESPACE, "kubernetes-store")
    values = shared_stores(kube, NAMESPACE, database, secret=False)
    del values["keys"]  # one pod needs none
    kube.secret(NAMESPACE, f"vault-{S3}", kube.read_secret(NAMESPACE, S3))
    kube.core.delete_namespaced_secret(S3, NAMESPACE)
    helm.install(NAMESPACE, {**values, "externalSecrets": VAULT}, wait="")
    yield
    kube.print_state(NAMESPACE)
    remove(kube, NAMESPACE)


def check(kubeconfig: Path, words: str = "") -> tuple[int, dict[str, Any]]:
    command = f"mlflowops external-secrets --namespace {NAMESPACE} --output json {words}"
    done = run(command, kubeconfig, check=False)
    assert done.stdout, done.stderr
    return done.returncode, {line["name"]: line for line in json.loads(done.stdout)["checks"]}


def states(lines: dict[str, Any]) -> dict[str, str]:
    return {name: line["status"] for name, line in lines.items()}


ALL = ["definitions", "operator", "store vault", POSTGRES, S3, f"keys of {POSTGRES}", f"keys of {S3}"]


def test_pods_wait_for_a_late_secret(kube: Kube, kubeconfig: Path) -> None:
    """And the check says what to do: the vault lacks an entry."""

    def reasons() -> set[str]:
        statuses = [s for pod in kube.pods(NAMESPACE) for s in pod.status.init_container_statuses or []]
        return {s.state.waiting.reason for s in statuses if s.state and s.state.waiting}

    eventually(lambda: "CreateContainerConfigError" in reasons(), 90, "the pod waits for its Secret")
    eventually(lambda: check(kubeconfig)[1][S3]["status"] == "ok", 60, "S3's keys are fetched")
    code, lines = check(kubeconfig)
    assert code == 1
    red = {POSTGRES, f"keys of {POSTGRES}"}
    assert states(lines) == {name: "red" if name in red else "ok" for name in ALL}
    assert "does the vault have that entry" in lines[POSTGRES]["fix"]
    assert "password" in lines[f"keys of {POSTGRES}"]["detail"]


def test_it_arrives_and_the_pods_start(kube: Kube, kubeconfig: Path, database: Database) -> None:
    """The interval is an hour: `sync` asks at once. The pods need no restart."""
    kube.secret(NAMESPACE, f"vault-{POSTGRES}", {"password": NASTY})
    done = run(f"mlflowops external-secrets sync --namespace {NAMESPACE}", kubeconfig)
    assert f"fetched: {POSTGRES}, {S3}" in done.stdout
    assert NASTY not in done.stdout + done.stderr
    kube.wait_ready(NAMESPACE, 1, 300)
    assert kube.restarts(NAMESPACE) == 0
    code, lines = check(kubeconfig)
    assert (code, states(lines)) == (0, dict.fromkeys(ALL, "ok"))


def test_a_rotated_password(kube: Kube, kubeconfig: Path, database: Database) -> None:
    """Fetched, then read by new pods, which take over before the old ones leave."""
    before = {pod.metadata.name for pod in kube.pods(NAMESPACE)}
    with admin(kube).cursor() as cursor:
        cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD 'r0tated/%'").format(sql.Identifier(database.name)))
    kube.secret(NAMESPACE, f"vault-{POSTGRES}", {"password": "r0tated/%"})
    done = run(f"mlflowops external-secrets sync --restart --namespace {NAMESPACE}", kubeconfig)
    assert "restarting: mlflow, mlflow-exporter" in done.stdout
    assert kube.read_secret(NAMESPACE, POSTGRES) == {"password": "r0tated/%"}

    def renewed() -> bool:
        return not before & {pod.metadata.name for pod in kube.pods(NAMESPACE)}

    eventually(renewed, 300, "new pods only")
    kube.wait_ready(NAMESPACE, 1, 300)
    with port_forward(kubeconfig, NAMESPACE, "service/mlflow", 5000) as url:
        assert requests.get(url + SEARCH, timeout=30).ok


def test_a_lost_entry_takes_nothing_away(kube: Kube, kubeconfig: Path) -> None:
    """The Secret keeps its last value; the check is red until the entry is back."""
    kube.core.delete_namespaced_secret(f"vault-{S3}", NAMESPACE)
    command = f"mlflowops external-secrets sync --timeout 5 --namespace {NAMESPACE}"
    done = run(command, kubeconfig, check=False)
    assert (done.returncode, f"{S3} was not fetched within 5 s" in done.stderr) == (1, True)
    code, lines = check(kubeconfig)
    assert code == 1
    assert (lines[S3]["status"], lines[f"keys of {S3}"]["status"]) == ("red", "ok")
    assert kube.ready(NAMESPACE, 1)


def test_a_store_that_is_not_there(kubeconfig: Path) -> None:
    """What one asks before MLflow is installed."""
    code, lines = check(kubeconfig, "--store ClusterSecretStore/production")
    assert code == 1
    assert "there is no ClusterSecretStore of that name" in lines["store production"]["detail"]
    done = run("mlflowops external-secrets --store vault", kubeconfig, check=False)
    assert (done.returncode, "ClusterSecretStore/<name>" in done.stderr) == (2, True)


def test_a_store_of_its_own(helm: Helm, kube: Kube, namespace: str, kubeconfig: Path) -> None:
    """externalSecrets.provider, here the fake one: the chart's objects alone; every character arrives."""
    entry = {"key": "mlflow-postgres-secret", "value": json.dumps({"password": NASTY})}
    values = {
        "backendStore": {"postgres": {"enabled": True, "host": "db"}},
        "externalSecrets": {"enabled": True, "provider": {"fake": {"data": [entry]}}},
    }
    parts = [f"-s templates/secrets/{kind}.yaml" for kind in ("secretstore", "externalsecret")]
    words = ["template", "mlflow", "charts/mlflow", *" ".join(parts).split(), "--values", "-"]
    rendered = helm(*words, stdin=json.dumps(values)).stdout
    run(f"kubectl apply -n {namespace} -f - <<'EOF'\n{rendered}\nEOF", kubeconfig)

    def password() -> str:
        found = {each.metadata.name for each in kube.core.list_namespaced_secret(namespace).items}
        return kube.read_secret(namespace, POSTGRES)["password"] if POSTGRES in found else ""

    eventually(lambda: password() == NASTY, 60, "the Secret with every character")
