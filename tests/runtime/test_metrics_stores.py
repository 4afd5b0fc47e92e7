"""What the exporter reports: counts, health and schema, from a real PostgreSQL, S3 and SQLite."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities._job_status import JobStatus
from psycopg2 import sql

from runtime.metrics import Metrics
from runtime.network import wait_until
from runtime.postgres import Postgres
from runtime.server import FILES, environment

Env = dict[str, str]


@pytest.fixture
def exporter(home: Path) -> Iterator[Callable[..., Metrics]]:
    """Starts exporters and ends them."""
    started: list[Metrics] = []

    def start(env: Env, *parts: str) -> Metrics:
        started.append(Metrics(home, parts or ("stores",), env).start().ready())
        return started[-1]

    yield start
    for each in started:
        assert each.stop() == 0


@pytest.fixture(scope="module")
def empty(database: Callable[..., Env], s3: Any) -> Env:
    """The variables of stores with nothing in them."""
    return {**database(), **s3.environment("plain")}


@pytest.fixture(scope="module")
def filled(database: Callable[..., Env], s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Env:
    """The variables of stores with runs and models in them."""
    env = {**database(), **s3.environment("plain")}
    fill(
        f"postgresql+psycopg2://{env['PGUSER']}:{env['PGPASSWORD']}@{env['PGHOST']}:{env['PGPORT']}/{env['PGDATABASE']}"
    )
    return env


def fill(uri: str) -> None:
    """Experiments, runs in several states, and versions of a model; one of each is deleted."""
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    experiment, other = client.create_experiment("kept"), client.create_experiment("deleted")
    client.delete_experiment(other)
    runs = [client.create_run(experiment).info.run_id for _ in range(5)]
    for run, status in zip(runs, ("FINISHED", "FINISHED", "FAILED"), strict=False):
        client.set_terminated(run, status)
    client.delete_run(runs[0])
    client.create_registered_model("model")
    versions = [client.create_model_version("model", "s3://mlflow/none") for _ in range(3)]
    client.delete_model_version("model", versions[0].version)


def assert_filled(metrics: Metrics) -> None:
    metrics.until(1, "mlflow_database_up")
    page = metrics.until(1, "mlflow_inventory_up")
    runs = {
        status: page.sum("mlflow_runs_total", lifecycle_stage="active", status=status)
        for status in ("RUNNING", "FINISHED", "FAILED", "KILLED", "SCHEDULED")
    }
    assert runs == {"RUNNING": 2, "FINISHED": 1, "FAILED": 1, "KILLED": 0, "SCHEDULED": 0}
    assert page.sum("mlflow_runs_total", lifecycle_stage="deleted") == 1
    assert page.sum("mlflow_runs_total") == 5
    assert page.sum("mlflow_experiments_total", lifecycle_stage="active") == 2
    assert page.sum("mlflow_experiments_total", lifecycle_stage="deleted") == 1
    assert page.sum("mlflow_registered_models_total") == 1
    assert page.sum("mlflow_model_versions_total") == 2
    assert page.sum("mlflow_database_size_bytes") > 100_000
    assert page.sum("mlflow_schema_up_to_date") == 1
    assert 0 < page.sum("mlflow_database_latency_seconds") < 10


def test_what_is_in_postgresql(exporter: Callable[..., Metrics], filled: Env) -> None:
    metrics = exporter(filled)
    assert_filled(metrics)
    page = metrics.until(1, "mlflow_artifact_store_up")
    assert page.sum("mlflow_database_connections", role="mlflow") >= 1
    assert page.sum("mlflow_database_connections_limit") == 197  # 200, of which 3 are the superuser's
    assert 0 < page.sum("mlflow_artifact_store_latency_seconds") < 10
    assert metrics.log.read_text().count("\n") == 1, "a healthy exporter says that it started, and no more"


def test_indexes_that_a_database_lacks(
    exporter: Callable[..., Metrics], ready_database: Callable[[], Env], postgres: Postgres
) -> None:
    """A migrated database has all; then one of MLflow's and one of the chart's are gone."""
    env = {**ready_database(), "MLFLOW_KUBERNETES_METRICS_INTERVAL": "1"}
    metrics = exporter(env)
    page = metrics.until(1, "mlflow_tables_up")
    assert page.sum("mlflow_database_index_missing") == 0
    assert page.sum("mlflow_database_table_size_bytes", table="metrics") > 0
    for index in ("index_metrics_run_uuid", "mlflow_kubernetes_runs_newest"):
        postgres.query(f"DROP INDEX {index}", env["PGDATABASE"])
    page = metrics.until(2, "mlflow_database_index_missing")
    assert page.sum("mlflow_database_index_missing", table="metrics", columns="run_uuid") == 1
    wanted = exporter({**env, "MLFLOW_KUBERNETES_INDEXES": "latest_metrics"})
    page = wanted.until(1, "mlflow_tables_up")
    assert page.sum("mlflow_database_index_missing", columns="key, value, run_uuid") == 1


def test_background_jobs(exporter: Callable[..., Metrics], filled: Env, postgres: Postgres) -> None:
    """One of each status, all an hour old; then the one that waits is a retry whose time comes later."""

    def query(statement: str) -> None:
        postgres.query(statement, filled["PGDATABASE"])

    hour = int((time.time() - 3600) * 1000)
    for status in JobStatus:
        values = f"'{status.value}', {hour}, 'judge', '{{}}', 'default', {status.to_int()}, 0, {hour}"
        columns = "id, creation_time, job_name, params, workspace, status, retry_count, last_update_time"
        query(f"INSERT INTO jobs ({columns}) VALUES ({values})")
    metrics = exporter({**filled, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "true"})
    page = metrics.until(1, "mlflow_jobs_up")
    assert {page.sum("mlflow_jobs_total", status=status.value) for status in JobStatus} == {1}
    assert page.sum("mlflow_jobs_waiting_seconds") >= 3600
    query(f"UPDATE jobs SET next_attempt_at = {hour * 2} WHERE status = 0")
    metrics.until(0, "mlflow_jobs_waiting_seconds")
    query("DELETE FROM jobs")
    assert metrics.until(0, "mlflow_jobs_total").sum("mlflow_jobs_waiting_seconds") == 0


def test_what_is_in_sqlite(exporter: Callable[..., Metrics], home: Path) -> None:
    """The embedded default: one process for workers and stores, reading a file that it cannot write."""
    fill(f"sqlite:///{home}/mlflow.db")
    (home / "mlflow.db").chmod(0o444)
    uri = {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{home}/mlflow.db"}
    metrics = exporter({**uri, "MLFLOW_EXPOSE_PROMETHEUS": str(home / "metrics")}, "workers", "stores")
    assert_filled(metrics)
    names = metrics.page().names()
    assert "mlflow_server_up" in names
    assert not {"mlflow_artifact_store_up", "mlflow_database_connections"} & names


def test_database_without_a_schema(exporter: Callable[..., Metrics], empty: Env) -> None:
    metrics = exporter(empty)
    page = metrics.until(0, "mlflow_schema_up_to_date")
    assert page.sum("mlflow_schema_info", database="none") == 1
    assert page.sum("mlflow_database_up") == 1
    metrics.until(0, "mlflow_inventory_up")


def test_database_with_another_schema(
    exporter: Callable[..., Metrics], filled: Env, postgres: Postgres
) -> None:
    """Behind, while a migration runs or fails; or ahead, after an image was rolled back."""

    def set_revision(revision: str) -> str:
        found = postgres.query("SELECT version_num FROM alembic_version", filled["PGDATABASE"])
        postgres.query("UPDATE alembic_version SET version_num = %s", filled["PGDATABASE"], [revision])
        return found[0][0]

    metrics = exporter(filled)
    metrics.until(1, "mlflow_schema_up_to_date")
    head = set_revision("0123456789ab")
    page = metrics.until(0, "mlflow_schema_up_to_date")
    assert page.sum("mlflow_schema_info", database="0123456789ab", image=head) == 1
    set_revision(head)
    metrics.until(1, "mlflow_schema_up_to_date")


@pytest.fixture
def closed(filled: Env, postgres: Postgres) -> Iterator[Callable[[bool], None]]:
    """Closes the database to MLflow's role, and opens it again."""
    role = sql.Identifier(filled["PGUSER"])

    def close(it: bool) -> None:
        postgres.query(sql.SQL("ALTER ROLE {} {}").format(role, sql.SQL("NOLOGIN" if it else "LOGIN")))

    yield close
    close(False)


def test_database_that_lets_nobody_in(
    exporter: Callable[..., Metrics], filled: Env, closed: Callable[[bool], None]
) -> None:
    """Down, and none of its other numbers, which would be of yesterday; up again by itself."""
    metrics = exporter(filled)
    metrics.until(1, "mlflow_inventory_up")
    closed(True)
    metrics.until(0, "mlflow_inventory_up")
    names = metrics.until(0, "mlflow_database_up").names()
    assert not {"mlflow_database_latency_seconds", "mlflow_schema_up_to_date", "mlflow_runs_total"} & names
    metrics.until(1, "mlflow_artifact_store_up")
    closed(False)
    metrics.until(1, "mlflow_database_up")
    log = metrics.log.read_text()
    assert "mlflow: metrics: the database: Unreachable: connection to server at" in log
    assert "mlflow: metrics: the database: answers again" in log
    assert log.count("the database: Unreachable") == 1, "once, not at every look"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong secret"}, "SignatureDoesNotMatch"),
        ({"MLFLOW_ARTIFACTS_DESTINATION": "s3://no-such-bucket/artifacts"}, "NoSuchBucket"),
        ({"MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:9"}, "Could not connect to the endpoint"),
    ],
    ids=["key", "bucket", "address"],
)
def test_artifact_store_that_does_not_work(
    exporter: Callable[..., Metrics], filled: Env, change: Env, words: str
) -> None:
    metrics = exporter({**filled, **change})
    page = metrics.until(0, "mlflow_artifact_store_up")
    assert "mlflow_artifact_store_latency_seconds" not in page.names()
    metrics.until(1, "mlflow_database_up")
    log = metrics.log.read_text()
    assert words in log
    assert not [secret for secret in ("wrong secret", filled["AWS_SECRET_ACCESS_KEY"]) if secret in log]


@pytest.fixture
def chart_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chart's modules can be imported."""
    monkeypatch.syspath_prepend(FILES)


def check_environment(home: Path, filled: Env, **more: str) -> Env:
    """What the exporter gives to the process of one check."""
    return environment(home, **{**filled, **more})


def test_a_check_of_the_artifact_store_needs_no_login_to_the_database(
    chart_files: None, filled: Env, home: Path
) -> None:
    """It would ask a cloud for a token that it does not use; here there is no cloud."""
    from mlflow_kubernetes.metrics import artifact_check

    env = check_environment(home, filled, MLFLOW_KUBERNETES_POSTGRES_LOGIN="entra")
    assert 0 < artifact_check.look(env).seconds < 10


def test_a_check_of_the_artifact_store_without_a_result(
    chart_files: None, filled: Env, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends too early, and it does not end."""
    from mlflow_kubernetes.metrics import artifact_check, periodic_check

    env = check_environment(home, filled, MLFLOW_ARTIFACTS_DESTINATION="/mlflow/artifacts")
    with pytest.raises(periodic_check.Failed, match="process of the check ended with code 1"):
        artifact_check.look(env)
    monkeypatch.setattr(artifact_check, "TIMEOUT_SECONDS", 0.01)
    with pytest.raises(periodic_check.Failed, match=r"no answer within 0\.01 s"):
        artifact_check.look(check_environment(home, filled))


def test_counting_gives_up(
    chart_files: None, filled: Env, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a table is locked its count fails, soon; the quick look does not even notice."""
    from mlflow_kubernetes.metrics import database_metrics as counts
    from mlflow_kubernetes.stores.database import Unreachable, connect

    for name, value in filled.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(counts, "QUERY_TIMEOUT_MS", 200)
    database = connect(filled["MLFLOW_BACKEND_STORE_URI"])
    with database.connection() as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE runs")
        with pytest.raises(Unreachable, match="statement timeout"):
            list(counts.DatabaseInventory(database).collect())
        assert list(counts.DatabaseState(database, "any").collect())


def test_a_look_that_hangs_is_a_failed_one(chart_files: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that died without a reset: down after a while, up again when it is answered after all."""
    from mlflow_kubernetes.metrics import periodic_check as checks

    monkeypatch.setattr(checks, "TIMEOUT_SECONDS", 0.5)
    answer = threading.Event()
    check = checks.PeriodicCheck("thing", "the thing", lambda: [answer.wait()][:0], every=0.1)
    assert list(check.collect()) == []

    def up() -> float | None:
        return next((metric.samples[0].value for metric in check.collect()), None)

    wait_until("thing_up 0", lambda: up() == 0)
    answer.set()
    wait_until("thing_up 1", lambda: up() == 1)
