"""Backups with an account and a bucket of their own, on a real S3: the server's account reads none."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from botocore.exceptions import ClientError
from mlflowops import query
from psycopg2 import sql

from runtime.backups import KEEP, Pod
from runtime.postgres import Postgres
from runtime.revisions import OLDER, make_old
from runtime.s3 import BUCKET, S3
from runtime.server import PACKAGE, Server, environment
from runtime.tasks import Env, Store, run_task

BACKUPS = "backups"  # the bucket, and the account that alone may use it
FOLDER = "ml/mlflow"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    """An S3 with an account for each of the two buckets, and one that may do everything."""
    only = {"artifacts": BUCKET, BACKUPS: BACKUPS}
    server = S3(only, root="root-secret", artifacts="artifacts-secret", backups="backups-secret")
    server.client().create_bucket(Bucket=BACKUPS)
    yield server
    server.remove()


def backed_up_by(account: str, postgres: Postgres, s3: S3, database: Env, home: Path) -> Pod:
    pod = Pod(Store(postgres, s3, {**database, **s3.environment(account)}), home)
    pod.place = f"s3://{BACKUPS}/{FOLDER}/{database['PGDATABASE']}"
    return pod


@pytest.fixture
def pod(postgres: Postgres, s3: S3, ready_database: Callable[[], Env], home: Path) -> Pod:
    """Jobs with the keys of `backup.credentialsFromSecret`, and nothing of the artifacts' account."""
    found = backed_up_by(BACKUPS, postgres, s3, ready_database(), home)
    found.store.query("INSERT INTO experiments VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active')")
    found.store.runs(20, ended=5, artifacts=False)
    return found


def names(pod: Pod) -> list[str]:
    """Names of the objects in the folder of the backups."""
    prefix = pod.place.removeprefix(f"s3://{BACKUPS}/") + "/"
    found = pod.store.s3.client().list_objects_v2(Bucket=BACKUPS, Prefix=prefix)
    return sorted(each["Key"].removeprefix(prefix) for each in found.get("Contents", []))


def test_backup_restore_and_drill_need_no_other_account(pod: Pod) -> None:
    before = pod.content()
    pod.backup()
    pod.store.query("DELETE FROM params")
    pod.restore()
    assert pod.content() == before
    role = sql.Identifier(pod.env["PGUSER"])
    pod.store.postgres.query(sql.SQL("ALTER ROLE {} CREATEDB").format(role))
    assert "as counted" in pod.restore(f"--scratch={pod.env['PGDATABASE']}_drill")


def test_old_ones_are_removed_by_that_account(pod: Pod) -> None:
    pod.backup()
    (first, *_) = names(pod)
    time.sleep(1)
    log = pod.run("backup", f"--destination={pod.place}", "--keep=1", "--keep-days=0", "--seconds=600")
    assert f"removed {first.partition('.')[0]}" in log
    assert len(names(pod)) == 3 and first not in names(pod)


def test_the_list_of_backups_is_asked_with_that_account(pod: Pod) -> None:
    """What `mlflowops backup list` runs in the pod."""
    pod.backup()

    def asked(account: str) -> subprocess.CompletedProcess[str]:
        env = environment(pod.home, **{**pod.env, **pod.store.s3.environment(account)})
        command = [sys.executable, str(PACKAGE), "query", "backups", pod.place]
        return subprocess.run(command, env=env, capture_output=True, text=True)

    (facts,) = json.loads(query.answer(asked(BACKUPS).stdout))
    assert facts["rows"]["public.runs"] == 20
    assert "AccessDenied" in asked("artifacts").stderr


def test_a_backup_before_a_migration(
    postgres: Postgres, s3: S3, database: Callable[..., Env], home: Path
) -> None:
    where = database()
    make_old(where, OLDER[4])
    old = backed_up_by(BACKUPS, postgres, s3, where, home)
    with old.staying() as exchange:
        run_task("schema", home, old.env, f"--destination={old.place}", *KEEP, f"--exchange={exchange}")
    assert len(names(old)) == 3


def test_the_servers_account_can_do_nothing_there(pod: Pod) -> None:
    """Not read, not list, not write, not remove; nor back up or restore."""
    pod.backup()
    key = f"{pod.place.removeprefix(f's3://{BACKUPS}/')}/{names(pod)[0]}"
    artifacts, where = pod.store.s3.client("artifacts"), {"Bucket": BACKUPS, "Key": key}
    tries: list[Callable[[], object]] = [
        lambda: artifacts.get_object(**where)["Body"].read(),  # noqa: PLW0108 (the request is made when it is called)
        lambda: artifacts.list_objects_v2(Bucket=BACKUPS),
        lambda: artifacts.put_object(**where, Body=b"x"),
        lambda: artifacts.delete_object(**where),
    ]
    for each in tries:
        with pytest.raises(ClientError) as denied:
            each()
        assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    artifacts.put_object(Bucket=BUCKET, Key="artifacts/mine", Body=b"x")
    servers = pod.store.s3.environment("artifacts")
    assert "AccessDenied" in pod.restore(code=1, **servers)
    assert "AccessDenied" in pod.backup(code=1, **servers)
    assert len(names(pod)) == 3


@pytest.mark.parametrize(("account", "status"), [("artifacts", 403), ("root", 200)])
def test_a_source_of_a_model_version_leads_to_no_backup(
    pod: Pod, start: Callable[..., Server], account: str, status: int
) -> None:
    """MLflow reads whatever address it is given, with the account that it has: here the one of the artifacts.

    With one that may read both buckets it hands the backup out, so the account is what stops it.
    """
    pod.backup()
    facts = next(name for name in names(pod) if name.endswith(".json"))
    server = start(**{**pod.store.env, **pod.store.s3.environment(account)}).ready()
    api = f"{server.url}/api/2.0/mlflow"
    assert requests.post(f"{api}/registered-models/create", json={"name": "thief"}, timeout=60).ok
    version = {"name": "thief", "source": pod.place}
    assert requests.post(f"{api}/model-versions/create", json=version, timeout=60).ok
    wanted = {"name": "thief", "version": "1", "path": facts}
    answer = requests.get(f"{server.url}/model-versions/get-artifact", params=wanted, timeout=60)
    server.kill()
    assert answer.status_code == status, answer.text
    assert ("public.runs" in answer.text) is (status == 200)
