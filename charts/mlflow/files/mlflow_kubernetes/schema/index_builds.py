"""Builds and drops the chart's own indexes, after the migration. A server starts without them too.

The lock is that of migrations: a migration waits for a build, and a build never waits for a migration. A pod
that finds the lock taken, or a build that takes too long, leaves the indexes to the next pod that starts.
"""

import os
import threading
import time
from collections.abc import Mapping

from mlflow_kubernetes.log import logger
from mlflow_kubernetes.stores.database import PostgreSQL, Unreachable
from mlflow_kubernetes.stores.indexes import INDEXES, Index, index_states, wanted_indexes

log = logger("schema")
# Seconds after which an invalid index stays until the next pod starts.
DROP_SECONDS = 10


class _Postponed(Exception):
    """Why an index is left to the next pod."""


def keep_indexes(database: PostgreSQL, env: Mapping[str, str]) -> None:
    """Build the indexes that are wanted and drop the others.

    Args:
        database: The database, migrated.
        env: The environment of the container.
    """
    import psycopg2

    wanted = wanted_indexes(env)
    try:
        if _changes(database, wanted):
            with database.lock(_postpone):
                for index, statement in _changes(database, wanted):
                    _change(database, index, statement)
    except (_Postponed, Unreachable, psycopg2.Error) as error:
        reason = " ".join(str(error).split())
        log.warning(f"the indexes are left to the next pod that starts: {reason}")


def _postpone() -> None:
    raise _Postponed("another pod builds them or migrates.")


def _changes(database: PostgreSQL, wanted: list[Index]) -> list[tuple[Index, str]]:
    """Return the statements that are missing, in order. An invalid index is what a broken build leaves."""
    with database.connection() as connection, connection.cursor() as cursor:
        found = index_states(cursor, [each.name for each in INDEXES])
    changes = []
    for index in INDEXES:
        state = found.get(index.name)
        if state and state.being_built:
            continue
        if state and not (state.valid and index in wanted):
            changes.append((index, index.drop))
        if index in wanted and not (state and state.valid):
            changes.append((index, index.create))
    return changes


def _change(database: PostgreSQL, index: Index, statement: str) -> None:
    seconds = float(os.environ.get("MLFLOW_KUBERNETES_INDEX_SECONDS") or 60)
    started = time.monotonic()
    try:
        _run(database, statement, seconds)
    except _Postponed:
        if statement == index.create:
            _drop_if_possible(database, index)
        raise
    done = "built" if statement == index.create else "dropped"
    log.info(f"{done} the index {index.name} on {index.table} ({time.monotonic() - started:.1f} s).")


def _drop_if_possible(database: PostgreSQL, index: Index) -> None:
    """Drop what a cancelled build left: writes would keep it up to date for nothing."""
    try:
        _run(database, index.drop, DROP_SECONDS)
    except _Postponed:
        log.info(f"the index {index.name} is invalid until then.")


def _run(database: PostgreSQL, statement: str, seconds: float) -> None:
    """Run a statement outside a transaction.

    The time limit is a cancel request: a session's statement_timeout would stay with PgBouncer's connection.
    """
    from psycopg2.errors import QueryCanceled

    with database.connection() as connection, connection.cursor() as cursor:
        connection.autocommit = True
        timer = threading.Timer(seconds, connection.cancel)
        timer.start()
        try:
            cursor.execute(statement)
        except QueryCanceled as error:
            raise _Postponed(
                f"{statement.partition('(')[0].strip()} takes longer than {seconds:.0f} s; "
                "docs/databases.md#indexes has it without a limit."
            ) from error
        finally:
            timer.cancel()
            timer.join()
