"""Bring the database to the schema of the installed MLflow: the init container of every server pod.

An up-to-date database costs three queries: MLflow is not imported and no lock is taken. Otherwise one pod of
all that start at the same time migrates, under a lock in the database, and the others wait for it. With
arguments, those of a backup, it makes a backup first. On PostgreSQL it then builds the chart's own indexes
and notes whose database it is.
"""

import importlib.metadata
import os
import subprocess
import sys
import time
from contextlib import closing, suppress
from functools import cache

import mlflow_kubernetes
from mlflow_kubernetes.log import logger
from mlflow_kubernetes.schema import schemas
from mlflow_kubernetes.schema.group_grants import keep_grants
from mlflow_kubernetes.schema.index_builds import keep_indexes
from mlflow_kubernetes.schema.replica_schema import ReplicaBehind, wait_for_replica
from mlflow_kubernetes.schema.schemas import Schema
from mlflow_kubernetes.server import oidc_plugin
from mlflow_kubernetes.stores import workspaces
from mlflow_kubernetes.stores.database import Database, PostgreSQL, Unreachable, connect
from mlflow_kubernetes.stores.owner import other_owner

log = logger("schema")


class SchemaError(Exception):
    """What stops the new pods; old ones keep serving."""


def main() -> int:
    """Run the step; the exit code of the init container."""
    try:
        database = connect(os.environ.get("MLFLOW_BACKEND_STORE_URI", ""))
        if oidc_plugin.enabled():
            oidc_plugin.set_variables(os.environ)
        wanted = schemas.required_schemas(os.environ)
        for schema in wanted:
            bring_up_to_date(database, schema)
        if workspaces.REVISION in wanted[0].revisions.known and not workspaces.is_enabled(os.environ):
            refuse_hidden_workspaces(database)
        if oidc_plugin.enabled():
            keep_grants(database, os.environ)
        if isinstance(database, PostgreSQL):
            keep_indexes(database, os.environ)
            claim(database)
            wait_for_replica(os.environ)
    except (ReplicaBehind, SchemaError, Unreachable) as error:
        log.error(error)
        return 1
    return 0


def bring_up_to_date(database: Database, schema: Schema) -> None:
    """Wait for the database, then migrate it if it is behind and no other pod has migrated it."""
    head = schema.revisions.head
    found = wait_for(database, schema)
    if not is_behind(found, schema):
        log.info(f"{schema.what} is up to date ({found}).")
        return
    refuse_rival(database, schema)
    log.info(f"{schema.what} is at {found or 'no revision'}, MLflow {version()} needs {head}; locking it.")
    with database.lock(lambda: log.info("another pod migrates the database; waiting for it.")):
        found = database.revision(schema.table)
        if not is_behind(found, schema):
            log.info(f"another pod has migrated {schema.what} ({found}).")
            return
        if found:
            back_up()
        migrate(database, schema)
        found = database.revision(schema.table)
    if found != head:
        raise SchemaError(f"the migration ended at {found} instead of {head}; see the lines above.")
    log.info(f"{schema.what} is migrated ({found}).")


def refuse_hidden_workspaces(database: Database) -> None:
    """Stop with one sentence where MLflow would not start without workspaces."""
    with database.connection() as connection, closing(connection.cursor()) as cursor:
        cursor.execute(workspaces.OTHER_WORKSPACE)
        found = cursor.fetchone()
    if found:
        raise SchemaError(
            f"mlflow.workspaces.enabled: the database has experiments, models or webhooks in the workspace "
            f"{found[0]}, which would be hidden; set it to true, old pods keep serving."
        )


def wait_for(database: Database, schema: Schema) -> str | None:
    """The revision, as soon as the database answers; a refused password too may be right in a minute."""
    seconds = float(os.environ.get("MLFLOW_KUBERNETES_SCHEMA_WAIT_SECONDS") or 600)
    deadline = time.monotonic() + seconds
    while True:
        try:
            return database.revision(schema.table)
        except Unreachable as error:
            if time.monotonic() + 2 > deadline:
                raise Unreachable(f"gave up after {seconds:.0f} s: {error}") from error
            log.info(f"waiting for the database: {error}")
            time.sleep(2)


def is_behind(found: str | None, schema: Schema) -> bool:
    """Whether a migration is needed; an unknown revision is one from the future."""
    if found is not None and found not in schema.revisions.known:
        raise SchemaError(
            f"{schema.what} is at revision {found}, which MLflow {version()} does not know; "
            "run the image version that made it or newer, old pods keep serving."
        )
    return found != schema.revisions.head


def refuse_rival(database: Database, schema: Schema) -> None:
    """Stop before accounts of one login are mixed with those of another."""
    if schema.rival and database.revision(schema.rival):
        raise SchemaError(
            f"auth.mode: the database has the accounts of another login, by its table {schema.rival}; "
            "set auth.mode back, or remove their tables (docs/identity.md)."
        )


@cache
def back_up() -> None:
    """Once, whatever is migrated: the first backup has all of it."""
    if len(sys.argv) > 1:
        log.info("backing up first.")
        backup = mlflow_kubernetes.command("backup", *sys.argv[1:], "--before-migration")
        if subprocess.run(backup).returncode:
            raise SchemaError(
                "there is no backup, so nothing is migrated; see the lines above, old pods keep serving."
            )


def migrate(database: Database, schema: Schema) -> None:
    """MLflow's own upgrade."""
    try:
        schema.upgrade(database.uri)
    except Exception as error:
        log.exception(error)
        instead = database.after_failure
        raise SchemaError(f"the migration failed; see the lines above, {instead}.") from error


def claim(database: PostgreSQL) -> None:
    """Make this release the owner of a database that has none, where its role may write."""
    import psycopg2

    with suppress(psycopg2.Error, Unreachable):
        if owner := other_owner(database, os.environ):
            log.warning(f"the database belongs to {owner}: retention and restores of this release refuse it.")


def version() -> str:
    """The installed MLflow's version, without importing it."""
    return importlib.metadata.version("mlflow")
