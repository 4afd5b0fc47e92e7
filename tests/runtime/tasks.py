"""The chart's tasks as processes, and a database to try them on: many runs at once, artifacts in S3."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from runtime.postgres import Postgres
from runtime.s3 import BUCKET, S3
from runtime.server import PACKAGE, environment

Env = dict[str, str]
DAY = 86_400_000
RETENTION = ["--days=90", "--grace-days=7", "--keep-tag=keep", "--batch-size=400", "--seconds=3600"]
INSERT = """
    INSERT INTO runs (run_uuid, name, status, start_time, end_time, lifecycle_stage, deleted_time,
                      artifact_uri, experiment_id, source_type, user_id)
    SELECT x->>'id', 'run', x->>'status', (x->>'end')::bigint - 1000, (x->>'end')::bigint, x->>'stage',
           (x->>'deleted')::bigint, x->>'artifacts', 0, 'LOCAL', 'test'
    FROM json_array_elements(%s) x"""
DETAILS = """
    INSERT INTO params SELECT 'depth', '3', run_uuid FROM runs ON CONFLICT DO NOTHING;
    INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)
    SELECT 'loss', 0.5, 1, run_uuid, step, false FROM runs, generate_series(1, 3) step ON CONFLICT DO NOTHING;
    INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
    SELECT 'loss', 0.5, 1, 3, false, run_uuid FROM runs ON CONFLICT DO NOTHING"""


def run_task(program: str, folder: Path, env: Env, *arguments: str, code: int = 0) -> str:
    """Run one to its end; its log."""
    command = [sys.executable, str(PACKAGE), program, *arguments]
    done = subprocess.run(
        command, env=environment(folder, **env), capture_output=True, text=True, cwd=folder, timeout=600
    )
    assert done.returncode == code, done.stderr
    return done.stderr


@dataclass
class Store:
    """A database with MLflow's schema, and the folder of a bucket."""

    postgres: Postgres
    s3: S3
    env: Env

    def query(self, statement: str, *values: Any) -> list[Any]:
        return self.postgres.query(statement, self.env["PGDATABASE"], values or None)

    def runs(
        self,
        count: int,
        ended: float = 0,
        deleted: float | None = None,
        *,
        status: str = "FINISHED",
        place: str = "mlflow-artifacts:/0",
        artifacts: bool = True,
    ) -> list[str]:
        """Add runs that ended, and maybe were deleted, so many days ago. Their ids."""
        now = int(time.time() * 1000)
        ids = [uuid.uuid4().hex for _ in range(count)]
        rows = [
            {
                "id": run,
                "status": status,
                "end": None if status == "RUNNING" else now - int(ended * DAY),
                "stage": "active" if deleted is None else "deleted",
                "deleted": None if deleted is None else now - int(deleted * DAY),
                "artifacts": f"{place}/{run}/artifacts",
            }
            for run in ids
        ]
        self.query(INSERT, json.dumps(rows))
        self.query(DETAILS)
        if artifacts:
            self.put([self.key(row["artifacts"]) + "/model/MLmodel" for row in rows])
        return ids

    def child_of(self, parent: str, *children: str) -> None:
        for child in children:
            self.tag(child, "mlflow.parentRunId", parent)

    def tag(self, run: str, key: str, value: str) -> None:
        self.query("INSERT INTO tags (key, value, run_uuid) VALUES (%s, %s, %s)", key, value, run)

    def left(self) -> dict[str, str]:
        """Runs in the database, and their stage."""
        return dict(self.query("SELECT run_uuid, lifecycle_stage FROM runs"))

    def key(self, uri: str) -> str:
        """Key in the bucket of what MLflow gives this address."""
        destination = self.env["MLFLOW_ARTIFACTS_DESTINATION"].removeprefix(f"s3://{BUCKET}/")
        return uri.replace("mlflow-artifacts:", destination).removeprefix(f"s3://{BUCKET}/")

    def put(self, keys: list[str]) -> None:
        client = self.s3.client()
        self._each(
            lambda key: client.put_object(Bucket=BUCKET, Key=key, Body=b"artifact_path: model\n"), keys
        )

    def objects(self, prefix: str = "") -> set[str]:
        """Keys of the bucket."""
        pages = self.s3.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {each["Key"] for page in pages for each in page.get("Contents", [])}

    def _each(self, act: Callable[[str], object], keys: list[str]) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(act, keys))

    def task(self, name: str) -> dict[str, Any]:
        """What a task has noted."""
        ((row,),) = self.query("SELECT row_to_json(t) FROM mlflow_kubernetes.tasks t WHERE name = %s", name)
        return row


@contextmanager
def holding(store: Store, name: str) -> Iterator[None]:
    """While another Job of that name runs."""
    where = {key: store.env[f"PG{key.upper()}"] for key in ("host", "port", "user", "password", "database")}
    with closing(psycopg2.connect(**where)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"mlflow_kubernetes.{name}",))
        yield
