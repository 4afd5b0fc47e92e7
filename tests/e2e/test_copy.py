"""`mlflowops copy` on a real cluster: a laptop's MLflow into PostgreSQL and S3, killed and repeated."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from mlflow import MlflowClient
from runtime import copies
from runtime.copies import KEY, RUNS
from runtime.test_copy import LEFT_OUT, same, usable

from e2e.forward import port_forward
from e2e.helm import Helm
from e2e.kube import Kube
from e2e.leaks import look
from e2e.stores import Database, shared_stores

VALUES = {
    "networkPolicy": {"enabled": True},  # the Job has a way to what it needs
    "mlflow": {"workers": 1, "resources": {"requests": {"cpu": "20m"}, "limits": {"memory": "1Gi"}}},
}


class Release:
    """An empty MLflow with a database of its own."""

    def __init__(self, kube: Kube, helm: Helm, kubeconfig: Path, namespace: str) -> None:
        self.kube, self.kubeconfig, self.namespace = kube, kubeconfig, namespace
        self.database = Database.create(kube, f"copy-{uuid4().hex[:6]}")
        values = shared_stores(kube, namespace, self.database)
        values["artifactStore"]["s3"] |= {"path": f"{namespace}/{self.database.name}"}
        helm.install(namespace, {**VALUES, **values})

    def command(self, source: Path) -> list[str]:
        words = ["copy", f"sqlite:///{source}", "--namespace", self.namespace, "--output", "json"]
        return [sys.executable, "-m", "mlflowops", *words]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "MLFLOWOPS_SOURCE_WEBHOOK_KEY": KEY}

    def copy(self, source: Path, code: int = 0) -> str:
        """Run the command to its end; what it answers."""
        done = subprocess.run(
            self.command(source), env=self.environment(), capture_output=True, text=True, timeout=900
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr if code else done.stdout

    def kill_when(self, source: Path, word: str) -> None:
        """Start the command, and kill it when it prints a word."""
        process = subprocess.Popen(
            self.command(source), env=self.environment(), stderr=subprocess.PIPE, text=True
        )
        assert process.stderr
        said = [line for line in iter(process.stderr.readline, "") if _kill(process, word, line)]
        assert process.wait() == -signal.SIGKILL, said


def _kill(process: "subprocess.Popen[str]", word: str, line: str) -> str:
    if word in line:
        process.send_signal(signal.SIGKILL)
    return line


@pytest.fixture(scope="module")
def old() -> Iterator[Path]:
    """The SQLite file of an MLflow of a laptop."""
    folder = Path("/dev/shm") / f"mlflow-copy-{uuid4().hex[:6]}"
    folder.mkdir()
    yield copies.old_mlflow(folder)
    shutil.rmtree(folder)


def test_two_thousand_runs_killed_and_repeated(
    kube: Kube, helm: Helm, kubeconfig: Path, old: Path, shared_namespace: str
) -> None:
    release = Release(kube, helm, kubeconfig, shared_namespace)
    release.kill_when(old, "✓ opening the source")
    report = json.loads(release.copy(old))
    assert (report["copied_before"], report["refused"], report["different"]) == (False, [], [])
    assert report["tables"]["runs"]["equal"] > RUNS
    again = json.loads(release.copy(old))
    assert (again["copied_before"], again["artifacts"]["copied"]) == (True, 0)
    wanted = {name: rows for name, rows in copies.sqlite_rows(old).items() if name not in LEFT_OUT}
    with contextlib.closing(release.database.connect()) as connection:
        found = copies.rows_of(connection, list(wanted))
    for row in wanted["webhooks"] + found["webhooks"]:
        row["secret"] = bool(row["secret"])  # encrypted again with the key of the release
    same(wanted, found)
    with port_forward(kubeconfig, release.namespace, "service/mlflow", 5000) as url:
        usable(url, old)
    assert "the release is not empty" in release.copy(other_mlflow(old), code=2)
    seen = look(kube, release.namespace)
    assert not seen.found
    assert "copy/copy" in seen.logs


def other_mlflow(old: Path) -> Path:
    """The SQLite file of another laptop."""
    folder = old.parent / "other"
    folder.mkdir()
    MlflowClient(f"sqlite:///{folder}/mlflow.db").create_experiment("other")
    return folder / "mlflow.db"
