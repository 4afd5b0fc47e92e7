"""What MLflow's role needs in MLflow's database for a restore, checked before anything is changed.

A drill checks it too: its scratch database has none of the objects of other roles that a restore meets.
"""

from collections.abc import Mapping
from typing import Any

from mlflow_kubernetes.tasks.backup.facts import parse_table_names
from mlflow_kubernetes.tasks.restore.contents import created_schemas, used_schemas
from mlflow_kubernetes.tasks.task import TaskError

ROLE = "SELECT format('%I', current_user), format('%I', current_database())"
# For each schema of the dump: whether it exists, and whether the role can create tables in it, or it.
SCHEMAS = """
    SELECT format('%%I', name), nspname IS NOT NULL,
           CASE WHEN nspname IS NULL THEN has_database_privilege(current_database(), 'CREATE')
           ELSE has_schema_privilege(n.oid, 'CREATE') AND has_schema_privilege(n.oid, 'USAGE') END
    FROM unnest(%s::text[]) name LEFT JOIN pg_namespace n ON nspname = name
    WHERE nspname IS NOT NULL OR name = ANY (%s)"""
FOREIGN_TABLES = """
    SELECT format('%%I.%%I', nspname, relname), format('%%I', pg_get_userbyid(relowner))
    FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    JOIN unnest(%s::text[], %s::text[]) wanted(schema, name) ON schema = nspname AND name = relname
    WHERE NOT pg_has_role(relowner, 'USAGE') ORDER BY 1"""
# Views and foreign keys of other roles on tables of MLflow's: they would be dropped with the tables.
DEPENDENTS = """
    WITH ours AS (
        SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname !~ '^(pg_|information_schema$|mlflow_kubernetes)' AND pg_has_role(relowner, 'USAGE')),
    dependents AS (
        SELECT ev_class AS id FROM pg_depend
        JOIN pg_rewrite ON objid = pg_rewrite.oid JOIN ours ON refobjid = ours.oid
        WHERE classid = 'pg_rewrite'::regclass AND refclassid = 'pg_class'::regclass
        UNION SELECT conrelid FROM pg_constraint JOIN ours ON confrelid = ours.oid)
    SELECT format('%I.%I', nspname, relname), format('%I', pg_get_userbyid(relowner))
    FROM dependents JOIN pg_class c ON c.oid = id JOIN pg_namespace n ON n.oid = relnamespace
    WHERE NOT pg_has_role(relowner, 'USAGE') ORDER BY 1 LIMIT 1"""


def check_rights(cursor: Any, entries: str, rows: Mapping[str, int]) -> None:
    """Raise TaskError if a restore into the database of the cursor would fail, or drop what others own.

    Args:
        cursor: in MLflow's database.
        entries: of the dump, which a restore into that database takes.
        rows: tables of the dump, as in its facts.
    """
    tables = list(parse_table_names(rows))
    role, database = _fetch(cursor, ROLE)[0]
    needed = created_schemas(entries) | {schema for schema, _ in tables}
    _check_schemas(cursor, needed, used_schemas(entries), role, database)
    places, names = [schema for schema, _ in tables], [name for _, name in tables]
    for table, owner in _fetch(cursor, FOREIGN_TABLES, places, names):
        raise TaskError(
            f"table {table} belongs to role {owner}, so a restore as role {role} cannot replace it; "
            f"run ALTER TABLE {table} OWNER TO {role}, or move it to another database."
        )
    for relation, owner in _fetch(cursor, DEPENDENTS):
        raise TaskError(
            f"{relation} of role {owner} depends on tables of role {role}, so a restore would drop it too; "
            "drop it yourself, and create it again after a restore."
        )


def _check_schemas(cursor: Any, needed: set[str], used: set[str], role: str, database: str) -> None:
    for schema, exists, allowed in _fetch(cursor, SCHEMAS, sorted(needed | used), list(needed)):
        if not allowed and exists:
            raise TaskError(
                f"role {role} may not create tables and functions in schema {schema}; "
                f"run GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}."
            )
        if not allowed:
            raise TaskError(
                f"schema {schema} does not exist, and role {role} may not create it; "
                f"run GRANT CREATE ON DATABASE {database} TO {role}, or create the schema for that role."
            )


def _fetch(cursor: Any, query: str, *values: Any) -> list[Any]:
    cursor.execute(query, values or None)
    return list(cursor.fetchall())
