"""Backups in Azure and Google storage; test_backup.py has all that does not depend on the store, with S3."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.azure import Azure
from runtime.backups import KEEP, NOISE, Pod
from runtime.gcs import Gcs
from runtime.postgres import Postgres
from runtime.s3 import S3
from runtime.tasks import Env, Store

FOLDERS = {Azure: "wasbs://models@mlflowtest.blob.core.windows.net", Gcs: "gs://models"}
OLD = ["20260101T000000Z.dump", "20260101T000000Z.dump.sha256", "20260101T000000Z.json"]


@pytest.fixture
def pod(postgres: Postgres, s3: S3, ready_database: Callable[[], Env], home: Path, store: Azure | Gcs) -> Pod:
    """Jobs that have the variables of a server with this store, and none of S3."""
    found = Pod(Store(postgres, s3, {**ready_database(), **store.environment()}), home)
    found.place = f"{FOLDERS[type(store)]}/{home.name}"
    return found


def objects(pod: Pod, store: Azure | Gcs) -> list[str]:
    """Names of the objects, without the folder."""
    folder = f"{pod.home.name}/"
    return sorted(name.removeprefix(folder) for name in store.names() if name.startswith(folder))


def test_a_dump_of_several_pieces_comes_back(pod: Pod, store: Azure | Gcs) -> None:
    pod.as_owner(NOISE)
    assert "SHA-256" in pod.backup()
    assert pod.store.task("backup")["report"]["size_bytes"] > 32 * 1024 * 1024
    assert [name.partition(".")[2] for name in objects(pod, store)] == ["dump", "dump.sha256", "json"]
    pod.as_owner("TRUNCATE noise")
    assert "restored" in pod.restore()
    assert pod.store.query("SELECT count(*) FROM noise") == [(1_200_000,)]


def test_what_is_too_old_goes(pod: Pod, store: Azure | Gcs) -> None:
    """Which ones are, is the same for all stores: here, that they are found and removed."""
    for name in (*OLD, "notes.txt"):
        store.put(f"{pod.home.name}/{name}", b"x")
    log = pod.run("backup", f"--destination={pod.place}", "--keep=1", "--keep-days=1", "--seconds=600")
    assert "removed 20260101T000000Z" in log
    assert len(objects(pod, store)) == 4 and not set(OLD) & set(objects(pod, store))


def test_a_failed_dump_is_no_backup(pod: Pod, store: Azure | Gcs) -> None:
    pod.store.query("CREATE TABLE theirs (a int)")
    assert "permission denied" in pod.backup(code=1)
    assert not [name for name in objects(pod, store) if name.endswith(".json")]
    assert "there is none" in pod.restore(code=1)


def test_a_place_that_is_not_there(pod: Pod, store: Azure | Gcs) -> None:
    pod.place = pod.place.replace("://models", "://no-such-bucket")
    log = pod.run("backup", f"--destination={pod.place}", *KEEP, code=1)
    assert {Azure: "ContainerNotFound", Gcs: "404"}[type(store)] in log
    assert pod.store.task("backup")["failed"]
