"""Bring the database to the schema of the installed MLflow: the init container of every server pod.

An up-to-date database costs one query: MLflow is not imported and no lock is taken. Otherwise one pod of all
that start at the same time migrates, under a lock in the database, and the others wait for it.
"""

import importlib.metadata
import os
import sys
import time
import traceback

import schema_database
from schema_database import Database, Unreachable
from schema_revisions import Revisions


class SchemaError(Exception):
    """What stops the new pods; old ones keep serving."""


def main() -> int:
    """Run the step; the exit code of the init container."""
    uri = os.environ.get("MLFLOW_BACKEND_STORE_URI", "")
    try:
        bring_up_to_date(schema_database.connect(uri), Revisions.installed())
    except (SchemaError, Unreachable) as error:
        say(str(error))
        return 1
    return 0


def bring_up_to_date(database: Database, revisions: Revisions) -> None:
    """Wait for the database, then migrate it if it is behind and nobody else has by then."""
    found = wait_for(database)
    if not is_behind(found, revisions):
        return say(f"the database is up to date ({found}).")
    say(
        f"the database is at {found or 'no revision'}, MLflow {version()} needs {revisions.head}; locking it."
    )
    with database.lock(lambda: say("another pod migrates the database; waiting for it.")):
        found = database.revision()
        if not is_behind(found, revisions):
            return say(f"another pod has migrated the database ({found}).")
        migrate(database.uri)
        found = database.revision()
    if found != revisions.head:
        raise SchemaError(f"the migration ended at {found} instead of {revisions.head}; see the lines above.")
    say(f"the database is migrated ({found}).")


def wait_for(database: Database) -> str | None:
    """The database's revision, as soon as it answers; a refused password too may be right in a minute."""
    patience = float(os.environ.get("MLFLOW_KUBERNETES_SCHEMA_WAIT_SECONDS") or 600)
    deadline = time.monotonic() + patience
    while True:
        try:
            return database.revision()
        except Unreachable as error:
            if time.monotonic() + 2 > deadline:
                raise Unreachable(f"gave up after {patience:.0f} s: {error}") from error
            say(f"waiting for the database: {error}")
            time.sleep(2)


def is_behind(found: str | None, revisions: Revisions) -> bool:
    """Whether a migration is needed; an unknown revision is one from the future."""
    if found is not None and found not in revisions.known:
        raise SchemaError(
            f"the database is at revision {found}, which MLflow {version()} does not know; "
            "run the image version that made it or newer, old pods keep serving."
        )
    return found != revisions.head


def migrate(uri: str) -> None:
    """MLflow's own `mlflow db upgrade`, which also fills an empty database."""
    import mlflow.db

    try:
        mlflow.db.upgrade.main([uri], standalone_mode=False)
    except Exception as error:
        traceback.print_exc()
        raise SchemaError("the migration failed; see the lines above, old pods keep serving.") from error


def version() -> str:
    """The installed MLflow's version, without importing it."""
    return importlib.metadata.version("mlflow")


def say(line: str) -> None:
    """One line of the container's log."""
    print(f"mlflow: schema: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
