"""The checks of the database and of the object store."""

from collections.abc import Iterable, Mapping
from functools import partial

from prometheus_client import Metric
from prometheus_client.registry import Collector

from mlflow_kubernetes.metrics.check import Check
from mlflow_kubernetes.metrics.database import Inventory, Jobs, State
from mlflow_kubernetes.metrics.tasks import Tasks
from mlflow_kubernetes.schema.revisions import Revisions
from mlflow_kubernetes.stores.artifacts import artifacts
from mlflow_kubernetes.stores.database import connect
from mlflow_kubernetes.stores.objects import open_store
from mlflow_kubernetes.stores.store import Store


def collectors(env: Mapping[str, str]) -> list[Collector]:
    """Checks of the stores of a server that has the same environment."""
    every = float(env.get("MLFLOW_KUBERNETES_METRICS_INTERVAL") or 60)
    database = connect(env["MLFLOW_BACKEND_STORE_URI"])
    state, inventory = State(database, Revisions.installed().head), Inventory(database)
    checks: list[Collector] = [
        Check("mlflow_database", "the database", state.look, every),
        Check("mlflow_inventory", "the count of runs and models", inventory.look, every),
    ]
    if names := env.get("MLFLOW_KUBERNETES_TASKS"):
        checks.append(Check("mlflow_tasks", "the notes of the tasks", Tasks(database, names).look, every))
    if env.get("MLFLOW_SERVER_ENABLE_JOB_EXECUTION") == "true":
        checks.append(Check("mlflow_jobs", "the background jobs", Jobs(database).look, every))
    if store := open_store(env, artifacts(env)):
        checks.append(Check("mlflow_artifact_store", "the artifact store", partial(_look, store), every))
    return checks


def _look(store: Store) -> Iterable[Metric]:
    """Nothing to tell but that it went well. Writing would tell more, and fill a versioned bucket."""
    store.check()
    return ()
