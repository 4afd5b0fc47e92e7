"""Numbers that the database gives to new rows, after rows were written with numbers of their own."""

from typing import Any

from mlflow_kubernetes.tasks.copying.tables import key_columns

NEXT = """
    SELECT setval(pg_get_serial_sequence(%(table)s, %(column)s), greatest(
        (SELECT coalesce(max("{column}"), 0) FROM "{table}"), 1))
    WHERE pg_get_serial_sequence(%(table)s, %(column)s) IS NOT NULL"""


def set_sequences(into: Any, table: Any) -> None:
    """Let the next number be higher than all that a table has."""
    import sqlalchemy

    for column in key_columns(table):
        if isinstance(column.type, sqlalchemy.Integer):
            statement = NEXT.format(table=table.name, column=column.name)
            into.exec_driver_sql(statement, {"table": table.name, "column": column.name})
