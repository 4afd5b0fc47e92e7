"""Loads runs, models and traces straight into the tables that MLflow made. The same rows at each time."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.load.ids import HISTORIES, SEED, SMALL, Size

FOLDER = Path(__file__).parent
AMOUNTS = {
    "experiment": SMALL.experiment_id,
    "histories": HISTORIES,
    "models": 100,
    "versions": 100,
    "experiments": 1000,
    "logged_models": 1000,
    "traces": 10_000,
}
OTHERS = ("histories", "registry", "experiments", "logged_models", "traces")
LARGE_TABLES = ("params", "tags", "latest_metrics", "metrics")
# As restores do: the rows are right, and a check of each would take longer than all the rest.
SETTINGS = """
SET session_replication_role = replica;
SET maintenance_work_mem = '256MB';
SET max_parallel_maintenance_workers = 1;
SET synchronous_commit = off;
SET jit = off;
"""


def load_runs(connection: Any, sizes: Iterable[Size]) -> None:
    """Load the experiments of these sizes, then VACUUM and ANALYZE.

    Args:
        connection: A superuser's connection of psycopg2, to a database with MLflow's schema.
        sizes: The experiments to load.
    """
    with _prepared(connection) as cursor, _without_indexes(cursor):
        for size in sizes:
            cursor.execute(_statements("runs"), size.parameters())


def load_others(connection: Any, **amounts: int) -> None:
    """Load histories, models, experiments, logged models and traces, then VACUUM and ANALYZE.

    Args:
        connection: A superuser's connection of psycopg2, to a database that has the small experiment.
        amounts: Numbers in place of those in AMOUNTS.
    """
    with _prepared(connection) as cursor:
        for name in OTHERS:
            cursor.execute(_statements(name), {"seed": SEED, **AMOUNTS, **amounts})


@contextlib.contextmanager
def _prepared(connection: Any) -> Iterator[Any]:
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS)
        cursor.execute(_statements("function"))
        yield cursor
        # Else autovacuum would begin while calls are measured, on one of the databases only. Parallel workers
        # would need more shared memory than a pod has.
        cursor.execute("VACUUM (ANALYZE, PARALLEL 0)")


def _statements(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text()


@contextlib.contextmanager
def _without_indexes(cursor: Any) -> Iterator[None]:
    """Drop the indexes of the large tables and make them again: each row would search its place in them."""
    cursor.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'p' AND conrelid::regclass::text = ANY(%s)",
        (list(LARGE_TABLES),),
    )
    keys = cursor.fetchall()
    for table in LARGE_TABLES:
        cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    for table, name, _ in keys:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)", (list(LARGE_TABLES),)
    )
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for table, name, definition in keys:
        cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    for _, definition in indexes:
        cursor.execute(definition)
    for table in LARGE_TABLES:
        cursor.execute(f"ALTER TABLE {table} RESET (autovacuum_enabled)")
