"""MLflow's tables in two databases of the same schema revision."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Row = dict[str, Any]
BATCH = 1000
JSON = "json"
# Of processes that run, not of what they have made.
LEFT_OUT = {"job_locks", "scheduler_leases"}


def table_names() -> set[str]:
    """Return the tables of runs, models, traces and webhooks, by MLflow's own models."""
    import mlflow.store.jobs.sqlalchemy_store
    import mlflow.store.model_registry.sqlalchemy_store
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
    from mlflow.store.db.base_sql_model import Base

    return set(Base.metadata.tables) - LEFT_OUT


def account_names() -> set[str]:
    """Return the tables of basic-auth's accounts."""
    from mlflow.server.auth.db.models import Base

    return set(Base.metadata.tables)


def reflect(engine: Any, names: set[str]) -> list[Any]:
    """Return those of the tables that a database has, a table after those that it refers to.

    Columns of JSON become text here: read and written unchanged, its NULL differs from the word null.
    """
    import sqlalchemy

    found = sqlalchemy.MetaData()
    present = names & set(sqlalchemy.inspect(engine).get_table_names())
    found.reflect(engine, only=sorted(present), resolve_fks=False)
    for column in [column for table in found.tables.values() for column in table.columns]:
        if isinstance(column.type, sqlalchemy.JSON):
            column.type, column.info[JSON] = sqlalchemy.Text(), True
    return [table for table in found.sorted_tables if table.name in present]


def columns(table: Any) -> list[Any]:
    """Return the columns that hold data, not those that the database computes."""
    return [column for column in table.columns if column.computed is None]


def key_columns(table: Any) -> list[Any]:
    """Return the columns of the primary key."""
    return list(table.primary_key.columns)


def read(
    connection: Any, table: Any, names: list[str], where: Any = None, *, by_key: bool = False
) -> Iterator[Row]:
    """Yield the rows of a table.

    Args:
        connection: Of the database.
        table: The reflected table.
        names: Columns to read.
        where: Condition of the rows.
        by_key: In the order of their keys, texts by their bytes as SQLite orders them.
    """
    import sqlalchemy

    query = sqlalchemy.select(*[_readable(table.columns[name]) for name in names])
    if where is not None:
        query = query.where(where)
    if by_key:
        query = query.order_by(*[_by_bytes(connection, column) for column in key_columns(table)])
    for row in connection.execute(query, execution_options={"yield_per": BATCH}).mappings():
        yield {name: _plain(value) for name, value in row.items()}


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield rows in lists."""
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def comparable(table: Any, row: Mapping[str, Any]) -> Row:
    """Return a row in which equal JSON is equal, and a number that is none too."""
    return {name: _comparable(table.columns[name], value) for name, value in row.items()}


def is_json(column: Any) -> bool:
    """Return whether a column holds JSON."""
    return JSON in column.info


def _readable(column: Any) -> Any:
    import sqlalchemy

    return sqlalchemy.cast(column, sqlalchemy.Text).label(column.name) if is_json(column) else column


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _comparable(column: Any, value: Any) -> Any:
    if value is not None and is_json(column):
        return json.loads(value)
    return "nan" if isinstance(value, float) and math.isnan(value) else value


def _by_bytes(connection: Any, column: Any) -> Any:
    import sqlalchemy

    text = isinstance(column.type, sqlalchemy.String) and connection.dialect.name == "postgresql"
    return sqlalchemy.collate(column, "C") if text else column
