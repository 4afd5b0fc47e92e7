"""Tasks of the release, and what they work on: its database, its bucket, and Jobs made from its CronJobs."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
from mlflow import MlflowClient

from e2e.faults.release import Release
from e2e.kube import eventually
from e2e.stores import s3_client
from e2e.up import run

# 80 MB that compress to half of it: long enough for a backup or a restore to be caught in it.
FILLER = """
    CREATE TABLE filler AS SELECT string_agg(md5(random()::text || a || b), '') AS text
    FROM generate_series(1, 8000) a, generate_series(1, 320) b GROUP BY a"""

DAY = 86_400_000
BUSY = {"503"}
"""What the server answers while all its threads are busy, as on a machine that does much else."""


class Tasks:
    """The tasks of a release."""

    def __init__(self, release: Release, kubeconfig: Path, stores: str = "") -> None:
        self.kube, self.namespace, self.kubeconfig = release.kube, release.namespace, kubeconfig
        self.stores = stores or self.namespace  # the namespace of PostgreSQL and SeaweedFS
        self.s3 = s3_client(self.kube, self.stores)

    def connection(self) -> Any:
        """A connection to the database as MLflow's role, closed after the block."""
        password = self.kube.read_secret(self.namespace, "mlflow-postgres-secret")["password"]
        host = self.kube.services.get(self.stores, "postgres")
        connection = psycopg2.connect(host=host, dbname="mlflow", user="mlflow", password=password)
        return contextlib.closing(connection)

    def query(self, statement: str, *values: Any) -> list[Any]:
        """In the database, in a transaction of its own."""
        with self.connection() as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall()) if cursor.description else []

    @contextlib.contextmanager
    def held(self, statement: str, *values: Any) -> Iterator[None]:
        """A transaction that has done this stays open for the block, with its locks and its snapshot."""
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(statement, values or None)
            yield
            connection.rollback()

    @contextlib.contextmanager
    def large_database(self) -> Iterator[None]:
        self.query(FILLER)
        try:
            yield
        finally:
            self.query("DROP TABLE IF EXISTS filler")

    def start(self, task: str) -> str:
        """Make a Job, as by hand; its name."""
        name = f"{task}-{secrets.token_hex(3)}"
        command = f"kubectl create job -n {self.namespace} --from=cronjob/mlflow-{task} {name}"
        run(command, self.kubeconfig)
        return name

    def wait(self, job: str, end: str = "Complete") -> str:
        """Until the Job has ended so; the log of its last pod."""
        where = f"-n {self.namespace} job/{job}"
        run(f"kubectl wait {where} --for=condition={end} --timeout=600s", self.kubeconfig)
        return run(f"kubectl logs {where} --all-containers", self.kubeconfig, check=False).stdout

    def kill(self, job: str) -> None:
        """Its pods, as when their node dies; another may come for them."""
        for pod in self.kube.pods(self.namespace, f"job-name={job}"):
            self.delete_now(pod)

    def delete_now(self, pod: Any) -> None:
        """Without a grace period."""
        self.kube.core.delete_namespaced_pod(pod.metadata.name, self.namespace, grace_period_seconds=0)

    def kill_when(self, job: str, half_way: Any, what: str) -> None:
        eventually(half_way, 120, what, every=0.05)
        self.kill(job)

    def keys(self, prefix: str) -> set[str]:
        """Objects of the bucket below a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="mlflow", Prefix=prefix)
        return {each["Key"] for page in pages for each in page.get("Contents", [])}


def old_runs(tasks: Tasks, count: int) -> tuple[list[str], str]:
    """Runs that ended long ago, each with an artifact, and one more that a registered model needs."""
    client = MlflowClient(f"http://{tasks.kube.services.get(tasks.namespace, 'mlflow')}")
    runs = [client.create_run("0").info.run_id for _ in range(count + 1)]
    for each in runs:
        client.log_text(each, "artifact_path: model\n", "model/MLmodel")
        client.set_terminated(each)
    name = f"needed {runs[-1]}"
    client.create_registered_model(name)
    client.create_model_version(name, f"runs:/{runs[-1]}/model", run_id=runs[-1])
    tasks.query("UPDATE runs SET end_time = end_time - %s WHERE run_uuid = ANY (%s)", 31 * DAY, runs)
    return runs[:-1], runs[-1]
