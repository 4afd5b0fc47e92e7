"""Backup, restore, drill and retention on a real cluster, typed as docs/backup.md says."""

import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from mlflow import MlflowClient

from e2e.forward import port_forward
from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.leaks import look
from e2e.stores import POSTGRES, Database, admin, s3_client, shared_stores
from e2e.up import run

DAY = 86_400_000
SMALL = {"requests": {"cpu": "20m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}
DRILL = {"enabled": True, "database": "ops_scratch"}
VALUES = {
    "backup": {
        "enabled": True,
        "image": POSTGRES,
        "drill": DRILL,
        "resources": SMALL,
        "credentialsFromSecret": {"enabled": True},
    },
    "retention": {"graceDays": 0, "resources": SMALL},
    "metrics": {"storeIntervalSeconds": 5},
    "networkPolicy": {"enabled": True},  # every task has a way to what it needs, and no other
    "mlflow": {"workers": 1, "resources": SMALL},
}


class Release:
    """An MLflow with a database, a bucket and a place for backups of its own."""

    def __init__(
        self,
        kube: Kube,
        helm: Helm,
        kubeconfig: Path,
        namespace: str,
        own: dict[str, Any] | None = None,
        **postgres: int,
    ) -> None:
        self.kube, self.kubeconfig, self.namespace = kube, kubeconfig, namespace
        self.bucket = f"operations-{secrets.token_hex(3)}"
        self.backups = f"{self.bucket}-backups"
        self.database = Database.create(kube, self.bucket)
        self.s3 = s3_client(kube)
        for bucket in (self.bucket, self.backups):
            self.s3.create_bucket(Bucket=bucket)
        kube.secret(namespace, "mlflow-backup-secret", kube.read_secret("ml", "mlflow-s3-secret"))
        values = {**VALUES, **shared_stores(kube, namespace, self.database)}
        values["backup"] = {**VALUES["backup"], "bucket": self.backups}
        values["backendStore"]["postgres"] |= {"cleanupRunsEnabled": True, "cleanupRunsDays": 30, **postgres}
        values["artifactStore"]["s3"] |= {"bucket": self.bucket, "path": "artifacts"}
        self.values = {**values, **(own or {})}
        helm.install(namespace, self.values)

    def query(self, statement: str, *values: Any) -> list[Any]:
        with self.database.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall()) if cursor.description else []

    def ops(self, words: str, code: int = 0) -> str:
        done = run(f"mlflowops {words} --namespace {self.namespace}", self.kubeconfig, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def job(self, task: str, end: str = "Complete") -> str:
        """By hand, from the CronJob; its log."""
        name = f"{task}-{time.monotonic_ns()}"
        where = f"-n {self.namespace}"
        run(f"kubectl create job {where} --from=cronjob/mlflow-{task} {name}", self.kubeconfig)
        wait = f"kubectl wait {where} job/{name} --for=condition={end} --timeout=180s"
        done = run(wait, self.kubeconfig, check=False)
        log = run(f"kubectl logs {where} job/{name} --all-containers", self.kubeconfig, check=False).stdout
        print(log)
        assert done.returncode == 0, log
        return log

    def keys(self, prefix: str, bucket: str = "") -> set[str]:
        found = self.s3.list_objects_v2(Bucket=bucket or self.bucket, Prefix=prefix).get("Contents", [])
        return {each["Key"].removeprefix(prefix) for each in found}


@pytest.fixture(scope="module")
def release(kube: Kube, helm: Helm, kubeconfig: Path, shared_namespace: str) -> Release:
    return Release(kube, helm, kubeconfig, shared_namespace)


@pytest.fixture
def client(release: Release, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MlflowClient]:
    with port_forward(kubeconfig, release.namespace, "service/mlflow", 5000) as url:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        yield MlflowClient()


def old_runs(release: Release, client: MlflowClient, count: int) -> list[str]:
    """Runs that ended long ago, each with an artifact."""
    runs = [client.create_run("0").info.run_id for _ in range(count)]
    for each in runs:
        client.log_text(each, "artifact_path: model\n", "model/MLmodel")
        client.set_terminated(each)
    release.query("UPDATE runs SET end_time = end_time - %s WHERE run_uuid = ANY (%s)", 31 * DAY, runs)
    return runs


def test_retention_removes_what_nobody_needs(release: Release, client: MlflowClient, tmp_path: Path) -> None:
    from mlflow.artifacts import download_artifacts

    runs = old_runs(release, client, 4)
    recent = client.create_run("0").info.run_id
    client.create_registered_model("kept")
    version = client.create_model_version("kept", f"runs:/{runs[0]}/model", run_id=runs[0])
    client.set_tag(runs[0], "mlflow.parentRunId", runs[1])
    log = release.job("retention")
    assert "2 runs ended more than 30 days ago and may go; 2 more are as old, but needed" in log
    assert "2 runs removed permanently." in release.job("retention"), "no grace period"
    assert {row[0] for row in release.query("SELECT run_uuid FROM runs")} == {*runs[:2], recent}
    assert release.keys("artifacts/0/") == {f"{each}/artifacts/model/MLmodel" for each in runs[:2]}
    folder = download_artifacts(f"models:/kept/{version.version}", dst_path=str(tmp_path))
    assert Path(folder, "MLmodel").read_text() == "artifact_path: model\n"


def test_backup_and_restore(release: Release, client: MlflowClient) -> None:
    runs = {client.create_run("0").info.run_id for _ in range(3)}
    before = {row[0] for row in release.query("SELECT run_uuid FROM runs")}
    assert runs <= before
    release.ops("backup now")
    (listed,) = json.loads(release.ops("backup list --output json").partition("\n]")[0] + "\n]")
    assert listed["rows"]["public.runs"] == len(before)
    prefix = f"backups/{release.namespace}/mlflow/{listed['name']}"
    assert release.keys(prefix, release.backups) == {".dump", ".dump.sha256", ".json"}
    release.query("CREATE TABLE newer (a int); UPDATE alembic_version SET version_num = 'feedfacecafe'")
    release.query("TRUNCATE runs CASCADE")
    release.ops(f"restore {listed['name']} --yes")
    assert {row[0] for row in release.query("SELECT run_uuid FROM runs")} == before
    assert release.query("SELECT to_regclass('newer')") == [(None,)]
    assert release.kube.ready(release.namespace, 1)


def test_a_restore_that_fails_leaves_a_server(release: Release) -> None:
    said = release.ops("restore 20000101T000000Z --yes", code=1)
    assert f"no backup '20000101T000000Z' in s3://{release.backups}/backups/" in said
    assert release.kube.ready(release.namespace, 1)


def test_a_failed_drill_shows_and_a_good_one_too(release: Release, kubeconfig: Path) -> None:
    """MLflow's role may not make databases at first; then it may."""
    log = release.job("drill", end="Failed")
    assert "may not create database ops_scratch; make it, owned by that role, or let it" in log
    with port_forward(kubeconfig, release.namespace, "service/mlflow-exporter", 9464) as url:

        def says(line: str) -> bool:
            return line in requests.get(f"{url}/metrics", timeout=10).text

        eventually(lambda: says('mlflow_task_failed{task="drill"} 1.0'), 60, "the failure in a metric")
        with admin(release.kube) as connection, connection.cursor() as cursor:
            cursor.execute(f'ALTER ROLE "{release.database.name}" CREATEDB')
        assert "as counted" in release.job("drill")
        eventually(lambda: says('mlflow_task_failed{task="drill"} 0.0'), 60, "the success in a metric")
        assert says('mlflow_task_failed{task="backup"} 0.0') and says("mlflow_backup_size_bytes")
        assert says("mlflow_retention_purged_runs 2.0")
    with admin(release.kube) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = 'ops_scratch'")
        assert cursor.fetchone() == (0,)


def test_versions_of_artifacts(release: Release) -> None:
    said = release.ops("backup versioning", code=1)
    assert f"aws s3api put-bucket-versioning --bucket {release.bucket} --versioning-configuration" in said
    release.s3.put_bucket_versioning(Bucket=release.bucket, VersioningConfiguration={"Status": "Enabled"})
    assert f"bucket {release.bucket}: versioning is on" in release.ops("backup versioning")


def test_no_log_holds_a_secret(release: Release) -> None:
    """Last, when each task has run: their logs were there to be looked into."""
    seen = look(release.kube, release.namespace)
    assert not seen.found
    assert {"retention/retention", "backup/backup", "restore/restore", "drill/drill"} <= seen.logs
    assert {"mlflow-postgres-secret/password", "mlflow-s3-secret/AWS_SECRET_ACCESS_KEY"} <= seen.secrets
