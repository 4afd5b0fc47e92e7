"""What goes before and after a dump in one transaction: all that is there away, and the rows counted.

A table that the dump does not have, of a newer MLflow, would otherwise stay, or stand in the way. Schemas
stay, with the grants and default privileges on them: MLflow's role may not be allowed to create them.
"""

from collections.abc import Mapping
from typing import Any

from mlflow_kubernetes.tasks.backup.facts import parse_table_names

# Kept: the chart's own tables, and what belongs to others, to an extension or, as a sequence may, to a table.
DROP_STATEMENTS = """
    SELECT format('DROP %s IF EXISTS %I.%s CASCADE;', kind, nspname, name) FROM (
        SELECT tableoid, oid, relnamespace AS schema, format('%I', relname) AS name, relowner AS owner,
               CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
               WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind
        FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
        UNION ALL SELECT pg_type.tableoid, pg_type.oid, typnamespace, format('%I', typname), typowner, 'TYPE'
        FROM pg_type LEFT JOIN pg_class c ON c.oid = typrelid
        WHERE typtype IN ('e', 'd', 'r') OR relkind = 'c'
        UNION ALL SELECT tableoid, oid, pronamespace,
               format('%I(%s)', proname, pg_get_function_identity_arguments(oid)), proowner, 'ROUTINE'
        FROM pg_proc
    ) found JOIN pg_namespace ON pg_namespace.oid = schema
    WHERE nspname !~ '^(pg_|information_schema$|mlflow_kubernetes)' AND pg_has_role(owner, 'USAGE')
    AND NOT EXISTS (
        SELECT FROM pg_depend
        WHERE classid = found.tableoid AND objid = found.oid AND objsubid = 0
        AND deptype IN ('a', 'e', 'i'))"""
ROW_COUNT_CHECK = """
    IF (SELECT count(*) FROM {table}) <> {rows} THEN
        RAISE EXCEPTION USING MESSAGE = {wrong};
    END IF;"""


def drop_statements(cursor: Any) -> list[str]:
    """Statements that empty the database that the cursor is in."""
    cursor.execute(DROP_STATEMENTS)
    return [row[0] for row in cursor.fetchall()]


def before_dump(cursor: Any) -> str:
    """What comes before a dump."""
    return "\n".join(["BEGIN;", "SET LOCAL client_min_messages = warning;", *drop_statements(cursor), ""])


def after_dump(cursor: Any, rows: Mapping[str, int]) -> str:
    """What comes after it: the commit, if the tables have that many rows."""
    from psycopg2.sql import SQL, Composed, Identifier, Literal

    counts = Composed(
        SQL(ROW_COUNT_CHECK).format(
            table=Identifier(*table),
            rows=Literal(count),
            wrong=Literal(f"{'.'.join(table)} does not have {count} rows"),
        )
        for table, count in parse_table_names(rows).items()
    )
    # As a literal, since a name may hold any mark that ends a body in dollars.
    body = Literal(f"BEGIN{counts.as_string(cursor)}\nEND")
    # PgBouncer gives the connection to others after the transaction: with the search path of the dump, they
    # would find no table.
    return f"DO {body.as_string(cursor)};\nRESET ALL;\nCOMMIT;\n\\echo committed\n"
