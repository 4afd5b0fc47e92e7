"""Backup, restore and retention are killed half-way while people track."""

import contextlib
import functools
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from mlflowops.paths import REPO

from e2e.faults.conftest import VALUES, Change
from e2e.faults.release import Release
from e2e.faults.tasks import BUSY, Tasks, old_runs
from e2e.kube import eventually
from e2e.stores import POSTGRES
from e2e.up import run

SMALL = {"requests": {"cpu": "20m", "memory": "128Mi"}}
BUCKET = "backups"
BACKUP = {"enabled": True, "image": POSTGRES, "bucket": BUCKET, "resources": SMALL}
RETENTION = {"graceDays": 0, "resources": SMALL}
OLD_RUNS = 20
REMOVING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DELETE FROM %'"
RESTORING = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY public.filler%' AND state = 'active'"


@pytest.fixture
def large(tasks: Tasks, change: Change) -> Iterator[Tasks]:
    """Tasks of a release with backups of a large database."""
    with contextlib.suppress(tasks.s3.exceptions.BucketAlreadyOwnedByYou):
        tasks.s3.create_bucket(Bucket=BUCKET)
    change(backup=BACKUP)
    with tasks.large_database():
        yield tasks


def complete(tasks: Tasks) -> list[str]:
    """The names of all backups that are whole, as users see them."""
    done = run(f"mlflowops backup list --output json --namespace {tasks.namespace}", tasks.kubeconfig).stdout
    return [each["name"] for each in json.loads(done)]


@pytest.mark.nightly
def test_a_backup_is_killed(release: Release, large: Tasks) -> None:
    """Nothing that looks like a backup is left, and the next one succeeds."""
    before = complete(large)

    def happen() -> None:
        job = large.start("backup")
        uploads = functools.partial(large.s3.list_multipart_uploads, Bucket=BUCKET)
        large.kill_when(job, lambda: uploads().get("Uploads"), "an upload")
        large.wait(job, "Failed")

    outcome = release.under_load("A backup is killed half-way", happen)
    assert set(outcome.refused) <= BUSY
    assert complete(large) == before
    large.wait(large.start("backup"))
    assert len(complete(large)) == len(before) + 1


@pytest.mark.nightly
def test_a_restore_is_killed(release: Release, large: Tasks) -> None:
    """The database is as it was, health says why no server runs, and a repeated restore brings all back."""
    large.wait(large.start("backup"))
    rows = large.query("SELECT count(*) FROM runs")
    command = [REPO / ".venv/bin/mlflowops", "restore", "--yes", "--namespace", release.namespace]

    def happen() -> None:
        process = subprocess.Popen(command, env={**os.environ, "KUBECONFIG": str(large.kubeconfig)})
        eventually(lambda: large.query(RESTORING), 180, "rows are restored", every=0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        (job,) = {each.metadata.labels["job-name"] for each in _pods_of_restores(large)}
        large.kill(job)
        large.wait(job, "Failed")
        rollout = _check(large, "rollout")
        assert rollout["detail"] == "scaled to 0 replicas by `mlflowops restore`"
        run(rollout["fix"].rpartition("or `")[2].rstrip("`"), large.kubeconfig)
        release.pods()

    release.under_load("A restore and its command are killed half-way", happen)
    assert large.query("SELECT count(*) FROM runs") > rows, "what people have logged since the backup"
    run(f"kubectl scale -n {release.namespace} deployment/mlflow --replicas 0", large.kubeconfig)
    run(" ".join(map(str, command)), large.kubeconfig)
    assert large.query("SELECT count(*) FROM runs") == rows
    assert len(release.pods()) == release.replicas


def _pods_of_restores(tasks: Tasks) -> list[Any]:
    pods = tasks.kube.pods(tasks.namespace, "app.kubernetes.io/component=restore")
    return [each for each in pods if each.status.phase == "Running"]


def _check(tasks: Tasks, name: str) -> dict[str, str]:
    done = run(f"mlflowops health --namespace {tasks.namespace} --output json", tasks.kubeconfig, check=False)
    return next(each for each in json.loads(done.stdout)["checks"] if each["name"] == name)


@pytest.mark.nightly
def test_a_retention_is_killed(release: Release, tasks: Tasks, change: Change) -> None:
    """The Job's next pod goes on: no run and no artifact of a removed one is left, what is needed stays."""
    postgres = {**VALUES["backendStore"]["postgres"], "cleanupRunsEnabled": True, "cleanupRunsDays": 30}
    change(retention=RETENTION, backendStore={"postgres": postgres})
    runs, needed = old_runs(tasks, OLD_RUNS)
    tasks.wait(tasks.start("retention"))

    def happen() -> None:
        with tasks.held("SELECT 1 FROM runs WHERE run_uuid = %s FOR UPDATE", runs[OLD_RUNS // 2]):
            job = tasks.start("retention")
            tasks.kill_when(job, lambda: tasks.query(REMOVING), "the removal of that run")
            assert 0 < _left(tasks, runs) < len(runs)
        tasks.wait(job)

    outcome = release.under_load("A retention is killed half-way", happen)
    assert set(outcome.refused) <= BUSY
    assert _left(tasks, [*runs, needed]) == 1
    files = {key for key in tasks.keys("0/") if any(run in key for run in [*runs, needed])}
    assert files == {f"0/{needed}/artifacts/model/MLmodel"}


def _left(tasks: Tasks, runs: list[str]) -> int:
    return int(tasks.query("SELECT count(*) FROM runs WHERE run_uuid = ANY (%s)", runs)[0][0])
