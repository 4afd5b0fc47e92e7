"""Spans of traces: one INSERT for a batch, whose text is the same for every batch."""

from typing import Any

from mlflow_kubernetes.server.fast.unusual import Unusual

BIGINT = 2**63
# MLflow's has a placeholder for each value of each span, and SQLAlchemy writes it for each batch again.
UPSERT = (
    "INSERT INTO spans ({names}) SELECT * FROM unnest({arrays}) "
    "ON CONFLICT (trace_id, span_id) DO UPDATE SET {changes}"
)


def upsert(
    session: Any, _model: Any, table: Any, rows: Any, _keys: list[str], changed: list[str], dialect: str
) -> None:
    """Write a batch of spans. Arguments as MLflow's _upsert_batch has them.

    Raises:
        Unusual: The batch is not of spans, or the database would refuse a value.
    """
    from sqlalchemy import text

    if table.name != "spans" or dialect != "postgresql":
        raise Unusual("not spans")
    if len({(row["trace_id"], row["span_id"]) for row in rows}) < len(rows):
        raise Unusual("a span twice")
    columns = [table.columns[name] for name in rows[0]]
    values = {column.name: _checked(column.type, [row[column.name] for row in rows]) for column in columns}
    statement = UPSERT.format(
        names=", ".join(values),
        arrays=", ".join(f"CAST(:{column.name} AS {_array(column.type)})" for column in columns),
        changes=", ".join(f"{name} = excluded.{name}" for name in changed),
    )
    session.execute(text(statement), values)


def _array(kind: Any) -> str:
    return {"Integer": "int[]", "BigInteger": "bigint[]", "Float": "float8[]"}.get(
        type(kind).__name__, "text[]"
    )


def _checked(kind: Any, values: list[Any]) -> list[Any]:
    """Leave errors to MLflow: a transaction that PostgreSQL has refused a statement of is lost."""
    most = getattr(kind, "length", None) or BIGINT
    for value in values:
        if isinstance(value, str):
            if "\0" in value or len(value) > most or not _is_utf8(value):
                raise Unusual("a text")
        elif isinstance(value, int) and not -BIGINT <= value < BIGINT:
            raise Unusual("a time")
    return values


def _is_utf8(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text)
