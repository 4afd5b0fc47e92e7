"""The checks of the database and of the object store."""

from collections.abc import Mapping
from functools import partial

from prometheus_client.registry import Collector

from mlflow_kubernetes.metrics import artifact_check
from mlflow_kubernetes.metrics.database_metrics import (
    DatabaseInventory,
    DatabaseState,
    JobQueue,
    WorkspaceInventory,
)
from mlflow_kubernetes.metrics.periodic_check import PeriodicCheck
from mlflow_kubernetes.metrics.replica_metrics import ReplicaState
from mlflow_kubernetes.metrics.table_metrics import TableState
from mlflow_kubernetes.metrics.task_metrics import TaskRuns
from mlflow_kubernetes.schema.revisions import Revisions
from mlflow_kubernetes.stores.artifact_root import artifact_root
from mlflow_kubernetes.stores.database import PostgreSQL, connect
from mlflow_kubernetes.stores.read_replica import replica_uri
from mlflow_kubernetes.stores.store_factory import open_store
from mlflow_kubernetes.stores.workspaces import is_enabled


def collectors(env: Mapping[str, str]) -> list[Collector]:
    """Checks of the stores of a server that has the same environment."""
    every = float(env.get("MLFLOW_KUBERNETES_METRICS_INTERVAL") or 60)
    database = connect(env["MLFLOW_BACKEND_STORE_URI"])
    state, inventory = DatabaseState(database, Revisions.installed().head), DatabaseInventory(database)
    checks: list[Collector] = [
        PeriodicCheck("mlflow_database", "the database", state.collect, every),
        PeriodicCheck("mlflow_inventory", "the count of runs and models", inventory.collect, every),
    ]
    if is_enabled(env):
        teams = WorkspaceInventory(database)
        checks.append(
            PeriodicCheck("mlflow_workspaces", "the count of workspaces' runs", teams.collect, every)
        )
    if isinstance(database, PostgreSQL):
        tables = TableState(database, env)
        checks.append(PeriodicCheck("mlflow_tables", "the state of the tables", tables.collect, every))
    if uri := replica_uri(env):
        replica = ReplicaState(PostgreSQL(uri))
        checks.append(PeriodicCheck("mlflow_database_replica", "the read replica", replica.collect, every))
    if names := env.get("MLFLOW_KUBERNETES_TASKS"):
        checks.append(
            PeriodicCheck(
                "mlflow_tasks", "the results of the tasks", TaskRuns(database, names).collect, every
            )
        )
    if env.get("MLFLOW_SERVER_ENABLE_JOB_EXECUTION") == "true":
        checks.append(PeriodicCheck("mlflow_jobs", "the background jobs", JobQueue(database).collect, every))
    if open_store(env, artifact_root(env)):
        look = partial(artifact_check.look, env)
        checks.append(PeriodicCheck("mlflow_artifact_store", "the artifact store", look, every))
    return checks
