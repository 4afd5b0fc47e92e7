"""A backup before each migration, on a real PostgreSQL and a real S3."""

import importlib.metadata
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runtime.backups import KEEP, Pod
from runtime.postgres import Postgres
from runtime.revisions import HEAD, OLDER, make_old
from runtime.s3 import S3
from runtime.tasks import Env, Store, holding, run_task


@pytest.fixture
def old(postgres: Postgres, s3: S3, database: Callable[..., Env], home: Path) -> Pod:
    """What an older MLflow left."""
    where = database()
    make_old(where, OLDER[4])
    return Pod(Store(postgres, s3, {**where, **s3.environment("odd")}), home)


def test_before_a_migration(old: Pod) -> None:
    """A step that was killed left its own in the folder; the backup brings the old schema back."""
    with old.staying() as exchange:
        for left in ("taken", "started", "status", "snapshot"):
            (exchange / left).write_text("1")
        options = [f"--destination={old.place}", *KEEP, f"--exchange={exchange}"]
        log = run_task("schema", old.home, old.env, *options)
        assert log.index("backing up first") < log.index("stored") < log.index(f"is migrated ({HEAD})")
        again = run_task("schema", old.home, old.env, *options)
        assert "backing up first" not in again
    _, _, facts = old.objects()
    facts = json.loads(old.get(facts))
    assert (facts["revision"], facts["mlflow"]) == (
        OLDER[4],
        f"before {importlib.metadata.version('mlflow')}",
    )
    old.restore()
    assert old.store.query("SELECT version_num FROM alembic_version") == [(OLDER[4],)]


def test_an_empty_database_is_migrated_without(postgres: Postgres, s3: S3, database: Any, home: Path) -> None:
    pod = Pod(Store(postgres, s3, {**database(), **s3.environment("odd")}), home)
    with pod.staying() as exchange:
        words = [f"--destination={pod.place}", *KEEP, f"--exchange={exchange}"]
        assert "is migrated" in run_task("schema", home, pod.env, *words)
    assert pod.objects() == []


def test_nothing_is_migrated_without_its_backup(old: Pod) -> None:
    with old.staying() as exchange:
        words = [f"--destination={old.place}", *KEEP, f"--exchange={exchange}"]
        log = run_task("schema", old.home, {**old.env, "AWS_SECRET_ACCESS_KEY": "wrong"}, *words, code=1)
    assert "mlflow: schema: there is no backup, so nothing is migrated; see the lines above" in log
    assert old.store.query("SELECT version_num FROM alembic_version") == [(OLDER[4],)]


def test_before_a_migration_it_waits_for_another_backup(old: Pod) -> None:
    """That one may have begun before, and be cut off: only its own will do."""
    words = [f"--destination={old.place}", *KEEP, "--before-migration"]
    with ThreadPoolExecutor(1) as pool:
        with holding(old.store, "backup"):
            done = pool.submit(old.run, "backup", *words)
            time.sleep(3)
            assert not done.done() and old.objects() == []
        assert "in progress; waiting for it" in done.result(timeout=120)
    assert len(old.objects()) == 3
