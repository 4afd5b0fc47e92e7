"""The release that a PostgreSQL database belongs to: a row beside MLflow's tables.

Two releases on one database show the same runs, but each has its own artifacts and its own age of what is
old. So retention and restores, which remove rows permanently, work in the database of their own release only.
"""

from collections.abc import Mapping
from typing import Any

from mlflow_kubernetes.stores.artifact_root import artifact_root
from mlflow_kubernetes.stores.database import OWN_SCHEMA, PostgreSQL

VARIABLE = "MLFLOW_KUBERNETES_RELEASE"
IS_THERE = "SELECT to_regclass('mlflow_kubernetes.owner') IS NOT NULL"
OWNER = "SELECT release FROM mlflow_kubernetes.owner"
# The lock is for pods that start together.
SETUP = f"""
    SELECT pg_advisory_xact_lock(hashtext('mlflow_kubernetes.owner'));{OWN_SCHEMA}
    CREATE TABLE IF NOT EXISTS mlflow_kubernetes.owner (
        release text NOT NULL, single boolean PRIMARY KEY DEFAULT true CHECK (single))"""
CLAIM = "INSERT INTO mlflow_kubernetes.owner (release) VALUES (%s) ON CONFLICT DO NOTHING"


def this_release(env: Mapping[str, str]) -> str:
    """Return the identity of this release, which differs in other clusters too; empty if there is no name."""
    name = env.get(VARIABLE)
    return f"{name} with artifacts in {artifact_root(env)}" if name else ""


def other_owner(database: PostgreSQL, env: Mapping[str, str]) -> str | None:
    """Return the release that owns the database, if it is another one than this.

    A database without an owner becomes this one's; psycopg2's errors mean that the role may not write.
    """
    ours = this_release(env)
    if not ours:
        return None
    with database.connection() as connection, connection, connection.cursor() as cursor:
        owner = _owner(cursor)
        if owner is None:
            cursor.execute(SETUP)
            cursor.execute(CLAIM, [ours])
            owner = _owner(cursor)
    return None if owner == ours else owner


def _owner(cursor: Any) -> str | None:
    cursor.execute(IS_THERE)
    if cursor.fetchone() != (True,):
        return None
    cursor.execute(OWNER)
    row = cursor.fetchone()
    return str(row[0]) if row else None
