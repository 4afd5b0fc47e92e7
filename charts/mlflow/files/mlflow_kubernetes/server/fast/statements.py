"""One statement on a connection of MLflow's own pool."""

from contextlib import nullcontext
from typing import Any

from mlflow_kubernetes.server.fast import ping, prepared
from mlflow_kubernetes.server.fast.unusual import Unusual
from mlflow_kubernetes.server.replica_misses import on_primary

# Conflicts with another writer, which undo the whole statement: transactions that wait for each other, and
# the division by zero of `writes.AS_GIVEN`. The statement succeeds when it is sent again.
CONFLICTS = {"40P01", "22012"}
ATTEMPTS = 5
# Before a statement, in the same request and so in its transaction: PostgreSQL compiles costly plans, which
# takes longer than a page of runs. A setting of the session would stay with PgBouncer's connection.
NO_JIT = "SET LOCAL jit = off; "


def fetch(
    engine: Any, statement: str, values: Any, *, repeatable: bool = True, prepare: bool = False
) -> list[Any]:
    """Run one statement in a transaction of its own, and return its rows.

    Args:
        engine: SQLAlchemy's engine, whose pool is MLflow's.
        statement: SQL with psycopg2's placeholders.
        values: What they stand for.
        repeatable: Whether MLflow's own code may do the same again if the connection breaks, when it is not
            known whether the statement was done.
        prepare: Whether planning takes much of its time, and one plan is good for all values. It must be one
            statement, without settings before it.

    Raises:
        Unusual: The statement was refused, or is repeatable and its connection broke.
        MlflowException: No connection was free in time, or one broke; as MLflow's own code says it.
    """
    import psycopg2

    pooled = _connect(engine, repeatable)
    connection = pooled.driver_connection
    try:
        connection.autocommit = True  # a statement is a transaction: no BEGIN, no COMMIT to wait for
        return _run(pooled, statement, values, prepare)
    except psycopg2.Error as error:
        if not connection.closed:
            raise Unusual("refused by the database") from error
        pooled.invalidate(error)
        raise _broken(error, repeatable) from error
    except (ValueError, OverflowError) as error:  # a NUL in a string, half of a surrogate pair
        raise Unusual("not a value of SQL") from error
    finally:
        if not connection.closed:
            connection.autocommit = False
        pooled.close()


def read_engine(store: Any) -> Any:
    """Return the engine for statements that write nothing: that of a read replica, if MLflow has one."""
    return store.engine if on_primary() else store.read_engine or store.engine


def _connect(engine: Any, repeatable: bool) -> Any:
    import psycopg2
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import BAD_REQUEST
    from sqlalchemy import exc

    try:
        with ping.by_socket() if repeatable else nullcontext():
            return engine.raw_connection()
    except exc.TimeoutError as error:  # MLflow's own code would wait as long again
        raise MlflowException(message=error, error_code=BAD_REQUEST) from error
    except (exc.SQLAlchemyError, psycopg2.Error) as error:
        raise Unusual("no connection") from error


def _run(pooled: Any, statement: str, values: Any, prepare: bool) -> list[Any]:
    import psycopg2

    for attempt in range(1, ATTEMPTS + 1):
        text = prepared.prepared(pooled, statement) if prepare else statement
        with pooled.driver_connection.cursor() as cursor:
            try:
                cursor.execute(text, values)
                rows: list[Any] = cursor.fetchall()
                return rows
            except psycopg2.Error as error:
                lost = prepare and error.pgcode in prepared.LOST
                if attempt == ATTEMPTS or not (lost or error.pgcode in CONFLICTS):
                    raise
                if lost:
                    prepared.forget(pooled)
                    prepare = False
    raise AssertionError("the last attempt returns or raises")


def _broken(error: Exception, repeatable: bool) -> Exception:
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

    if repeatable:
        return Unusual("a broken connection")
    unavailable: Exception = MlflowException(message=error, error_code=TEMPORARILY_UNAVAILABLE)
    return unavailable
