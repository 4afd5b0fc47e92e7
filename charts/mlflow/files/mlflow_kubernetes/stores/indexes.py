"""The indexes that the chart adds to MLflow's tables on PostgreSQL, and their state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

VARIABLE = "MLFLOW_KUBERNETES_INDEXES"
STATES = """
    SELECT c.relname, i.indisvalid,
           EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid IN (to_regclass('runs'), to_regclass('latest_metrics')) AND c.relname = ANY(%s)"""


@dataclass(frozen=True)
class Index:
    """An index on one table."""

    name: str
    table: str
    rows: str
    """The columns, and the condition of a partial index."""

    @property
    def create(self) -> str:
        """The statement that builds it while others write."""
        return f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {self.name} ON {self.table} {self.rows}"

    @property
    def drop(self) -> str:
        """The statement that removes it while others write."""
        return f"DROP INDEX CONCURRENTLY IF EXISTS {self.name}"


# MLflow orders runs by `start_time DESC, run_uuid`, NULL first, unless a search says otherwise.
RUNS = Index(
    "mlflow_kubernetes_runs_newest", "runs", "(experiment_id, lifecycle_stage, start_time DESC, run_uuid)"
)
LATEST_METRICS = Index(
    "mlflow_kubernetes_latest_metrics_value", "latest_metrics", "(key, value, run_uuid) WHERE NOT is_nan"
)
INDEXES = (RUNS, LATEST_METRICS)


@dataclass(frozen=True)
class State:
    """What PostgreSQL knows about an index that exists."""

    valid: bool
    being_built: bool


def wanted_indexes(env: Mapping[str, str]) -> list[Index]:
    """Return the indexes that `backendStore.postgres.indexes` has on."""
    tables = env.get(VARIABLE, RUNS.table).split(",")
    return [each for each in INDEXES if each.table in tables]


def index_states(cursor: Any, names: Iterable[str]) -> dict[str, State]:
    """Return the state of each index of these names that exists on its table.

    Args:
        cursor: A cursor of psycopg2.
        names: Names of indexes.
    """
    cursor.execute(STATES, [list(names)])
    return {name: State(valid, being_built) for name, valid, being_built in cursor.fetchall()}
