"""Secrets are rotated while people track, by the steps of docs/secrets.md."""

import secrets

import pytest
from mlflowops.generated_secrets import random_key

from e2e.faults.release import Release
from e2e.faults.tasks import BUSY, Tasks
from e2e.up import run

SECOND = {"AWS_ACCESS_KEY_ID": "second", "AWS_SECRET_ACCESS_KEY": random_key()}

pytestmark = pytest.mark.nightly


def restart(tasks: Tasks) -> None:
    """As the page has it, and to its end."""
    chosen = f"deployment -n {tasks.namespace} -l app.kubernetes.io/instance=mlflow"
    run(f"kubectl rollout restart {chosen}", tasks.kubeconfig)
    run(f"kubectl rollout status {chosen} --timeout=600s", tasks.kubeconfig)


def test_the_password_of_the_database_is_rotated(release: Release, tasks: Tasks) -> None:
    new = secrets.token_hex(20)

    def happen() -> None:
        tasks.query("ALTER ROLE mlflow PASSWORD %s", new)
        tasks.kube.secret(tasks.namespace, "mlflow-postgres-secret", {"password": new})
        restart(tasks)

    outcome = release.under_load("The password of the database is rotated", happen)
    assert set(outcome.refused) <= BUSY


def test_the_keys_of_the_object_store_are_rotated(release: Release, tasks: Tasks) -> None:
    """To a second pair, and back; then the second one is withdrawn."""
    first = tasks.kube.read_secret(tasks.namespace, "mlflow-s3-secret")

    def happen() -> None:
        pair = f"-access_key={SECOND['AWS_ACCESS_KEY_ID']} -secret_key={SECOND['AWS_SECRET_ACCESS_KEY']}"
        _configure(tasks, f"{pair} -actions=Admin")
        for keys in (SECOND, first):
            tasks.kube.secret(tasks.namespace, "mlflow-s3-secret", keys)
            restart(tasks)
        _configure(tasks, "-delete")

    outcome = release.under_load("The keys of the object store are rotated", happen)
    assert set(outcome.refused) <= BUSY


def _configure(tasks: Tasks, words: str) -> None:
    command = f"echo 's3.configure -user=second {words} -apply' | timeout 60 weed shell"
    said = tasks.kube.exec(tasks.namespace, "seaweedfs-0", ["sh", "-c", command])
    assert "error" not in said.lower(), said


def test_the_keys_of_the_server_are_rotated(release: Release, tasks: Tasks) -> None:
    """All but the passphrase, which MLflow's own command rotates."""
    new = {**tasks.kube.read_secret(tasks.namespace, "mlflow-keys-secret"), "flask-secret-key": random_key()}

    def happen() -> None:
        tasks.kube.secret(tasks.namespace, "mlflow-keys-secret", new)
        restart(tasks)

    outcome = release.under_load("The key that signs forms and cookies is rotated", happen)
    assert set(outcome.refused) <= BUSY
