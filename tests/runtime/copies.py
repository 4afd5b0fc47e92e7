"""The chart's program `copy` as a process, an MLflow to copy, and the comparison of two databases."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import mlflow
import psycopg2
import requests
from cli import laptop
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource
from mlflowops.copier.orders import Orders

from runtime.network import free_port, wait_until
from runtime.server import PACKAGE, environment

Env = dict[str, str]
RUNS = 2000
KEY = "nJ1aTQAcOmBDMcu0QGGMrcSHbJZhlsVdxZuWpyyVcTs="
OTHER_KEY = "0vNFVVYBYEYzAX5hVqmdNWWE5bKSuwYCcwWGnOdCyLI="
# By the script of MLflow's own table of runs: two thousand of them in a second.
NUMBERS = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {RUNS - 1})"
MANY = [
    f"""{NUMBERS} INSERT INTO runs (run_uuid, name, status, start_time, end_time, lifecycle_stage,
        artifact_uri, experiment_id, source_type, user_id)
        SELECT printf('%032x', i), 'run-' || i, 'FINISHED', 1000 + i, 2000 + i, 'active',
        :place || '/' || printf('%032x', i) || '/artifacts', :experiment, 'LOCAL', 'ana' FROM n""",
    f"""{NUMBERS}, s(step) AS (VALUES (0), (1), (2)) INSERT INTO metrics (key, value, timestamp, run_uuid,
        step, is_nan) SELECT 'loss', 1.0 / (i + step + 1), i, printf('%032x', i), step, 0 FROM n, s""",
    f"""{NUMBERS} INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
        SELECT 'loss', 1.0 / (i + 3), i, 2, 0, printf('%032x', i) FROM n""",
    f"{NUMBERS} INSERT INTO params SELECT 'seed', i, printf('%032x', i) FROM n",
    f"{NUMBERS} INSERT INTO tags SELECT 'número', 'ñ' || i, printf('%032x', i) FROM n",
]


class Copy:
    """A program `copy` that waits for orders."""

    def __init__(self, folder: Path, env: Env) -> None:
        self.folder, self.port = folder, free_port()
        folder.mkdir(exist_ok=True)
        self.log = folder / "log"
        command = [sys.executable, str(PACKAGE), "copy", f"--folder={folder}", f"--port={self.port}"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=environment(folder, **env), stdout=log, stderr=log, cwd=folder
            )
        self.orders = Orders(requests.Session(), f"http://127.0.0.1:{self.port}")

    def ready(self) -> "Copy":
        wait_until(f"the program copy (log: {self.log})", self._answers)
        return self

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return requests.post(f"http://127.0.0.1:{self.port}/ready", timeout=5).ok
        except requests.RequestException:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def copying(folder: Path, env: Env) -> Iterator[Orders]:
    """A program `copy` for the block; it ends with code 0 when it is told to."""
    program = Copy(folder, env).ready()
    try:
        yield program.orders
        program.orders.result("end")
        assert program.process.wait(60) == 0, program.log.read_text()
    finally:
        program.kill()


def old_mlflow(folder: Path) -> Path:
    """Fill a SQLite file and a folder of artifacts as years on a laptop do; the file."""
    uri, files = f"sqlite:///{folder}/mlflow.db", folder / "files"
    files.mkdir(parents=True)
    before = Path.cwd()
    os.chdir(folder)  # where MLflow makes ./mlruns
    try:
        laptop.fill(uri, files, "fraud")
        _more(uri, folder)
    finally:
        os.chdir(before)
    _many(folder)
    return folder / "mlflow.db"


def _more(uri: str, folder: Path) -> None:
    """Traces with assessments, a dataset of evaluations, webhooks, a model from a folder."""
    client = MlflowClient(uri, registry_uri=uri)
    with laptop.mlflow_of_the_process(uri):
        mlflow.set_experiment("fraud")
        for number in range(5):
            with mlflow.start_span(f"ask-{number}") as span:
                span.set_inputs({"question": "¿qué?", "number": number})
                span.set_outputs({"answer": [None, 1.5, "x" * 5000]})
            mlflow.flush_trace_async_logging()
            mlflow.log_feedback(
                trace_id=span.trace_id,
                name="good",
                value=number % 2 == 0,
                source=AssessmentSource("HUMAN", "ana"),
            )
        dataset = mlflow.genai.datasets.create_dataset("golden", experiment_id=["1"], tags={"v": "1"})
        dataset.merge_records([{"inputs": {"q": str(n)}, "expectations": {"a": n}} for n in range(3)])
        client.create_registered_model("loose")
        place = folder / "loose"
        place.mkdir()
        (place / "MLmodel").write_text("flavors: {}\n")
        client.create_model_version("loose", f"file://{place}")
    add_webhooks(uri)


def add_webhooks(uri: str) -> None:
    """One with a secret and one without, in a process of its own: MLflow reads the key at its import."""
    code = (
        "from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as S\n"
        "from mlflow.entities.webhook import *\n"
        f"s = S({uri!r})\n"
        "e = [WebhookEvent(WebhookEntity.REGISTERED_MODEL, WebhookAction.CREATED)]\n"
        "s.create_webhook('signed', 'https://1.1.1.1/a', e, secret='hush')\n"
        "s.create_webhook('plain', 'https://1.1.1.1/b', e)\n"
    )
    env = {**os.environ, "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": KEY, "MLFLOW_DISABLE_TELEMETRY": "true"}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)


def _many(folder: Path) -> None:
    """Two thousand runs, each with an artifact."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as database, database:
        place = f"{folder}/mlruns/0"
        for statement in MANY:
            database.execute(statement, {"place": place, "experiment": 0} if ":place" in statement else {})
    for number in range(RUNS):
        artifacts = folder / "mlruns" / "0" / f"{number:032x}" / "artifacts"
        artifacts.mkdir(parents=True)
        (artifacts / "report.txt").write_text(f"report {number}\n")


def sqlite_rows(file: Path) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [dict(row) for row in database.execute(f'SELECT * FROM "{name}"')] for name in names}


def connect(env: Env) -> Any:
    """A connection to PostgreSQL."""
    where = {key: env[f"PG{key.upper()}"] for key in ("host", "port", "user", "password")}
    return psycopg2.connect(dbname=env["PGDATABASE"], **where)


def rows_of(connection: Any, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    """All rows of these tables."""
    found = {}
    for name in names:
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT row_to_json(t) FROM "{name}" t')
            found[name] = [row for (row,) in cursor.fetchall()]
    return found


def postgres_rows(env: Env, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    """All rows of these tables."""
    with closing(connect(env)) as connection:
        return rows_of(connection, names)


def comparable(rows: list[dict[str, Any]]) -> list[str]:
    """Rows in an order of their own, and equal where both databases mean the same."""
    return sorted(json.dumps({key: _value(value) for key, value in sorted(row.items())}) for row in rows)


def _value(value: Any) -> Any:
    """SQLite has 0 and 1 for false and true, and text for JSON; PostgreSQL writes 1.0 as 1."""
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    if (isinstance(value, str) and value[:1] in ("{", "[")) or value in ("null", "true", "false"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def wait_for_rows(orders: Orders, table: str) -> None:
    """Order the copy, and return when rows of a table have been written."""
    for line in orders.stream("copy"):
        if line.get("table") == table:
            return
