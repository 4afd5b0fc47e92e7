"""The migration of an upgrade is killed while the old pods serve; the next pod finishes it."""

from typing import Any

import pytest
import sqlalchemy
from alembic import command
from mlflow.store.db.utils import _get_alembic_config

from e2e.faults.release import Release
from e2e.faults.tasks import BUSY, Tasks
from e2e.kube import eventually
from e2e.up import run

pytestmark = pytest.mark.nightly

# "mlflow" in ASCII, as docs/databases.md has it.
LOCK = int.from_bytes(b"mlflow", "big")
INDEX = "mlflow_kubernetes_runs_newest"
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"


def downgrade(tasks: Tasks) -> str:
    """Back to the revision before the last, which has only other columns and tables of jobs; the last one."""
    password = tasks.kube.read_secret(tasks.namespace, "mlflow-postgres-secret")["password"]
    host = tasks.kube.services.get(tasks.namespace, "postgres")
    url = sqlalchemy.URL.create("postgresql+psycopg2", "mlflow", password, host, 5432, "mlflow")
    head = revision(tasks)
    command.downgrade(_get_alembic_config(url.render_as_string(hide_password=False)), "-1")
    tasks.query(f"DROP INDEX IF EXISTS {INDEX}")
    assert revision(tasks) != head
    return head


def revision(tasks: Tasks) -> str:
    return str(tasks.query("SELECT version_num FROM alembic_version")[0][0])


def kill(release: Release, tasks: Tasks, place: str, hold: str, there: str) -> None:
    """Kill the migration at a place where `hold` keeps it; `there` is what the database shows of it then."""
    head, before = downgrade(tasks), {*release.names()}

    def migrating() -> Any:
        pods = release.kube.pods(release.namespace)
        return next((each for each in pods if each.metadata.name not in before), None)

    def happen() -> None:
        with tasks.held(hold):
            run(f"kubectl rollout restart -n {release.namespace} deployment/mlflow", tasks.kubeconfig)
            eventually(lambda: tasks.query(there), 120, f"a migration {place}")
            tasks.delete_now(migrating())
        where = f"-n {release.namespace} deployment/mlflow"
        run(f"kubectl rollout status {where} --timeout=900s", tasks.kubeconfig)

    outcome = release.under_load(f"The migration of an upgrade is killed {place}", happen)
    assert set(outcome.refused) <= BUSY
    assert revision(tasks) == head
    eventually(lambda: tasks.query(VALID, INDEX) == [(True,)], 60, "a valid index")


def test_a_migration_is_killed_before_its_lock(release: Release, tasks: Tasks) -> None:
    asking = f"SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_try_advisory_xact_lock({LOCK})'"
    kill(release, tasks, "before it has the lock", f"SELECT pg_advisory_xact_lock({LOCK})", asking)


def test_a_migration_is_killed_in_a_change(release: Release, tasks: Tasks) -> None:
    changing = """
        SELECT 1 FROM pg_stat_activity
        WHERE query LIKE 'ALTER TABLE jobs%' AND wait_event_type = 'Lock'"""
    kill(release, tasks, "in a change of a table", "LOCK TABLE jobs IN ACCESS SHARE MODE", changing)


def test_a_migration_is_killed_before_its_end(release: Release, tasks: Tasks) -> None:
    """The build of an index waits for the snapshot of the other transaction."""
    building = """
        SELECT 1 FROM pg_stat_activity
        WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event = 'virtualxid'"""
    kill(release, tasks, "at the build of an index", "SELECT 1", building)
