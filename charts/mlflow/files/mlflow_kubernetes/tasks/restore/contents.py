"""Which entries of a dump a restore takes: all but those that the database has already and keeps."""

import re
from collections.abc import Iterator
from typing import Any

# A line of `pg_restore --list`: number; two ids; kind, schema, name and owner, without quotes.
_ENTRY = re.compile(r"\d+; \d+ \d+ (.*)")
_CREATED = re.compile(r"(?:FUNCTION|PROCEDURE|AGGREGATE|VIEW|MATERIALIZED VIEW|SEQUENCE|TYPE|DOMAIN) (\S+) ")
# What only administrators make, beside what MLflow needs.
_ADMINISTRATION = ("EVENT TRIGGER ", "PUBLICATION ", "PUBLICATION TABLE", "SUBSCRIPTION ")
SCHEMAS = "SELECT nspname FROM pg_namespace"
# Of a database server's own rules: who may add an extension.
EXTENSIONS = """
    SELECT name FROM pg_available_extension_versions v
    WHERE NOT EXISTS (SELECT FROM pg_extension WHERE extname = name)
    AND ((SELECT rolsuper FROM pg_roles WHERE rolname = current_user) OR NOT superuser
         OR (trusted AND has_database_privilege(current_database(), 'CREATE')))"""
# Views, routines and so on of other roles, which a restore does not drop. Tables are refused before.
OTHERS = """
    SELECT nspname, name FROM (
        SELECT tableoid, oid, relnamespace AS schema, relname AS name, relowner AS owner
        FROM pg_class WHERE relkind IN ('v', 'm', 'S', 'f', 'c')
        UNION ALL SELECT tableoid, oid, typnamespace, typname, typowner
        FROM pg_type WHERE typtype IN ('e', 'd', 'r')
        UNION ALL SELECT tableoid, oid, pronamespace,
               proname || '(' || oidvectortypes(proargtypes) || ')', proowner
        FROM pg_proc
    ) found JOIN pg_namespace n ON n.oid = schema
    WHERE nspname !~ '^(pg_|information_schema$|mlflow_kubernetes)' AND NOT pg_has_role(owner, 'USAGE')
    AND NOT EXISTS (
        SELECT FROM pg_depend WHERE classid = found.tableoid AND objid = found.oid AND deptype = 'e')"""


def select_entries(contents: str, database: Any, mlflow: Any) -> str:
    """Return the lines to restore, as `pg_restore --use-list` reads them.

    Args:
        contents: what `pg_restore --list` has written.
        database: a cursor in the database that is restored into.
        mlflow: a cursor in MLflow's database, the same one unless this is a drill.
    """
    schemas, extensions = _names(database, SCHEMAS), _names(database, EXTENSIONS)
    mlflow.execute(OTHERS)
    others = tuple(f" {schema} {name} " for schema, name in mlflow.fetchall())

    def is_taken(entry: str) -> bool:
        kind, _, name = entry.partition(" - ")
        if kind == "SCHEMA":
            return name.rpartition(" ")[0] not in schemas
        if kind == "EXTENSION":
            return name.rstrip() in extensions
        return not entry.startswith(_ADMINISTRATION) and not any(other in entry for other in others)

    return "".join(f"{line}\n" for line, entry in _entries(contents) if is_taken(entry))


def created_schemas(entries: str) -> set[str]:
    """Return the schemas that these entries create."""
    return {entry[9:].rpartition(" ")[0] for _, entry in _entries(entries) if entry.startswith("SCHEMA - ")}


def used_schemas(entries: str) -> set[str]:
    """Return the schemas in which these entries create more than tables; a name with a space is cut."""
    return {found[1] for _, entry in _entries(entries) if (found := _CREATED.match(entry))}


def _entries(contents: str) -> Iterator[tuple[str, str]]:
    for line in contents.splitlines():
        if found := _ENTRY.fullmatch(line):
            yield line, found[1]


def _names(cursor: Any, query: str) -> set[str]:
    cursor.execute(query)
    return {row[0] for row in cursor.fetchall()}
