"""PostgreSQL behind PgBouncer in transaction mode: what lasts longer than a transaction holds nothing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflowops.paths import REPO

from runtime.pooler import pgbouncer
from runtime.postgres import Postgres
from runtime.server import Server, environment, run

VALUES = yaml.safe_load((REPO / "charts" / "mlflow" / "values.yaml").read_text())
THREADS = VALUES["mlflow"]["threads"]
POOL = VALUES["backendStore"]["postgres"]
CONNECTIONS = THREADS + 1
CLIENTS = 20


@pytest.fixture(scope="module")
def pooled(database: Callable[[], dict[str, str]]) -> Iterator[dict[str, str]]:
    """The way to an empty database, with the fewest connections that docs/operations.md asks for."""
    with pgbouncer(database(), CONNECTIONS) as where:
        yield where


def test_one_of_three_pods_migrates(pooled: dict[str, str], home: Path) -> None:
    pods = [run("schema", environment(home, **pooled)) for _ in range(3)]
    outputs = [pod.communicate(timeout=400)[0] for pod in pods]
    assert [pod.returncode for pod in pods] == [0] * 3, outputs
    assert len([output for output in outputs if "the database is migrated" in output]) == 1, outputs


def test_twenty_clients_log_at_once(
    pooled: dict[str, str], postgres: Postgres, start: Callable[..., Server]
) -> None:
    server = start(
        **pooled,
        MLFLOW_KUBERNETES_THREADS=str(THREADS),
        MLFLOW_SQLALCHEMYSTORE_POOL_SIZE=str(POOL["poolSize"]),
        MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW=str(POOL["maxOverflow"]),
    ).ready()
    client = MlflowClient(server.url)

    def log(number: int) -> str:
        run = client.create_run("0", run_name=str(number)).info.run_id
        for step in range(10):
            client.log_batch(run, [Metric("loss", number, step, step)], [Param(f"p{step}", str(number))])
        client.set_terminated(run)
        return run

    with ThreadPoolExecutor(CLIENTS) as pool:
        runs = list(pool.map(log, range(CLIENTS)))
    for number, each in enumerate(runs):
        history = client.get_metric_history(each, "loss")
        assert [(point.step, point.value) for point in history] == [(step, number) for step in range(10)]
        assert client.get_run(each).data.params == {f"p{step}": str(number) for step in range(10)}
    # Otherwise the test would have gone past the pooler.
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
    assert 0 < postgres.query(count, values=(pooled["PGDATABASE"],))[0][0] <= CONNECTIONS
