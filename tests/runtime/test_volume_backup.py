"""Backup and restore of the embedded default: SQLite and artifacts of a real server, in a real S3."""

import hashlib
import io
import json
import sqlite3
import subprocess
import sys
import tarfile
import threading
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from runtime.metrics import Metrics
from runtime.network import wait_until
from runtime.s3 import BUCKET, S3
from runtime.server import PACKAGE, Server, environment, run
from runtime.tasks import run_task

KEEP = ["--keep=2", "--keep-days=30", "--seconds=600"]


class Volume:
    """A volume with a server, and the place of its backups."""

    def __init__(self, folder: Path, s3: S3, start: Callable[..., Server]) -> None:
        self.folder, self.s3, self.start_server = folder, s3, start
        self.database, self.artifacts = folder / "mlflow.db", folder / "artifacts"
        self.uri = {
            "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{self.database}",
            "MLFLOW_ARTIFACTS_DESTINATION": str(self.artifacts),
        }
        self.env = {**s3.environment("odd"), **self.uri}
        self.path = f"backups/{uuid.uuid4().hex[:8]}"
        self.place = f"s3://{BUCKET}/{self.path}"

    def server(self, **env: str) -> Server:
        """A server after the migration, as in its pod."""
        step = run("schema", environment(self.folder, **self.uri))
        output, _ = step.communicate(timeout=300)
        assert step.returncode == 0, output
        return self.start_server(**self.uri, **env).ready()

    def task(self, program: str, *words: str, code: int = 0) -> str:
        return run_task(program, self.folder, self.env, *words, code=code)

    def backup(self, code: int = 0) -> str:
        return self.task("volume-backup", f"--destination={self.place}", *KEEP, code=code)

    def restore(self, *words: str, code: int = 0) -> str:
        return self.task("volume-restore", f"--source={self.place}", "--seconds=600", *words, code=code)

    def files(self) -> dict[str, Any]:
        """The artifacts, and the statements that make the database."""
        found = {str(file): file.read_bytes() for file in self.artifacts.rglob("*") if file.is_file()}
        with closing(sqlite3.connect(self.database)) as connection:
            return {**found, "database": "".join(connection.iterdump())}

    def keys(self) -> list[str]:
        listed = self.s3.client().list_objects_v2(Bucket=BUCKET, Prefix=self.path)
        return sorted(each["Key"] for each in listed.get("Contents", []))

    def get(self, key: str) -> bytes:
        body: bytes = self.s3.client().get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def put(self, archive: bytes) -> None:
        """Replace the archive of the one backup, as a person may who can write there."""
        dump, _, facts = self.keys()
        found = json.loads(self.get(facts)) | {"sha256": hashlib.sha256(archive).hexdigest()}
        self.s3.client().put_object(Bucket=BUCKET, Key=dump, Body=archive)
        self.s3.client().put_object(Bucket=BUCKET, Key=facts, Body=json.dumps(found).encode())


@pytest.fixture
def volume(home: Path, s3: S3, start: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> Volume:
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "false")
    return Volume(home, s3, start)


def log_run(url: str, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run with an artifact; its id."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    client = MlflowClient()
    run_id = client.create_run("0").info.run_id
    client.log_text(run_id, text, "folder/ñandú.txt")
    client.set_terminated(run_id)
    return run_id


@pytest.mark.parametrize("launcher", ["direct", "upstream"])
def test_all_comes_back_when_the_server_has_ended(
    volume: Volume, launcher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The restore waits for the server's end; what came after the backup is gone, what was lost is back."""
    server = volume.server(MLFLOW_KUBERNETES_LAUNCHER=launcher)
    run_id = log_run(server.url, "kept", monkeypatch)
    assert "stored" in volume.backup()
    before = volume.files()
    dump, sha256, _ = volume.keys()
    assert hashlib.sha256(volume.get(dump)).hexdigest() in volume.get(sha256).decode()
    later = log_run(server.url, "gone", monkeypatch)
    MlflowClient().delete_run(run_id)
    next(file for file in volume.artifacts.rglob("*.txt") if run_id in str(file)).unlink()
    words = ["volume-restore", f"--source={volume.place}", "--seconds=600"]
    log = volume.folder / "restore.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, PACKAGE, *words], env=environment(volume.folder, **volume.env), stderr=output
        ) as restore,
    ):
        wait_until("the restore to wait", lambda: "for the end of a server" in log.read_text())
        assert volume.database.exists() and later in {each.info.run_id for each in runs()}
        server.stop()
        assert restore.wait(120) == 0, log.read_text()
    assert "as counted, and 1 artifacts." in log.read_text()
    assert volume.files() == before
    monkeypatch.setenv("MLFLOW_TRACKING_URI", volume.server().url)
    client = MlflowClient()
    assert {each.info.run_id for each in runs()} == {run_id}
    assert Path(client.download_artifacts(run_id, "folder/ñandú.txt")).read_text() == "kept"


def runs() -> list[Any]:
    return MlflowClient().search_runs(["0"])


def test_a_backup_while_clients_write(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    """No write fails, and the copy is a database of one moment."""
    server = volume.server()
    first = log_run(server.url, "first", monkeypatch)
    client, stop, failed = MlflowClient(), threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            try:
                client.log_text(client.create_run("0").info.run_id, "more", "note.txt")
            except Exception as error:
                failed.append(error)
                return

    writers = [threading.Thread(target=write) for _ in range(3)]
    for each in writers:
        each.start()
    for _ in range(2):
        volume.backup()
    stop.set()
    for each in writers:
        each.join()
    assert not failed
    server.stop()
    volume.restore()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", volume.server().url)
    assert first in {each.info.run_id for each in runs()}


def archive(*entries: tarfile.TarInfo, text: bytes = b"x") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as written:
        for entry in entries:
            entry.size = len(text) if entry.isreg() else 0
            written.addfile(entry, io.BytesIO(text))
    return file.getvalue()


def link(name: str) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = tarfile.SYMTYPE, "/etc"
    return found


def test_a_hostile_archive_changes_nothing(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write access to the backups can change the database and artifacts only, by undamaged files."""
    server = volume.server()
    log_run(server.url, "kept", monkeypatch)
    server.stop()
    volume.backup()
    good, before = volume.get(volume.keys()[0]), volume.files()
    names = ["../owned", "/tmp/owned", "artifacts/../../owned", "artifacts", "owned", "./mlflow.db"]
    bad = [archive(tarfile.TarInfo(name)) for name in names] + [archive(link("artifacts/a"))]
    for each in bad:
        volume.put(each)
        assert "which backups do not contain; take another backup." in volume.restore(code=1)
    for each in (archive(), archive(tarfile.TarInfo("artifacts/a")), archive(tarfile.TarInfo("mlflow.db"))):
        volume.put(each)
        assert "take another backup." in volume.restore(code=1)
    volume.put(good[:50_000])
    assert "cannot be unpacked" in volume.restore(code=1)
    volume.put(good.replace(b"kept", b"lost"))
    assert volume.restore("--drill"), "the sum is of the changed one"
    volume.s3.client().put_object(Bucket=BUCKET, Key=volume.keys()[0], Body=good)
    assert "is damaged: its SHA-256 differs" in volume.restore(code=1)
    assert volume.files() == before
    assert not list(volume.folder.rglob("*owned*"))
    assert not list((volume.folder / "tasks").glob("restore-*"))


def test_a_restore_that_is_killed_keeps_servers_away(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is repeated: else a server would make an empty database. No journal of the old one stays."""
    server = volume.server()
    run_id = log_run(server.url, "kept", monkeypatch)
    volume.backup()
    server.stop()
    before = volume.files()
    volume.database.unlink()
    Path(f"{volume.database}-journal").write_bytes(b"x")
    (volume.folder / "tasks" / "replacing").touch()
    step = run("schema", environment(volume.folder, **volume.uri))
    output, _ = step.communicate(timeout=300)
    assert step.returncode == 1 and "a restore was interrupted" in output
    assert not volume.database.exists()
    volume.restore()
    assert volume.files() == before and not Path(f"{volume.database}-journal").exists()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", volume.server().url)
    assert {each.info.run_id for each in runs()} == {run_id}


def test_a_drill_and_the_metrics(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    """A drill reads all of the backup beside a server that runs; the metrics say how tasks went."""
    assert "does not exist; start the server first." in volume.backup(code=1)
    log_run(volume.server().url, "kept", monkeypatch)
    tasks = {"MLFLOW_KUBERNETES_TASKS": "backup=108000 drill=720000"}
    metrics = Metrics(volume.folder, ("stores",), {**volume.uri, **tasks}).start().ready()
    metrics.until(1, "mlflow_task_failed", task="backup")
    volume.backup()
    assert metrics.reported("mlflow_backup_stored") == 1
    assert metrics.page().sum("mlflow_task_failed", task="backup") == 0
    before = volume.files()
    assert "1 artifacts" in volume.restore("--drill")
    assert volume.files() == before
    assert metrics.reported("mlflow_drill_rows") > 1
    assert metrics.page().sum("mlflow_task_failed", task="drill") == 0
    volume.s3.client().delete_object(Bucket=BUCKET, Key=volume.keys()[0])
    volume.restore("--drill", code=1)
    metrics.until(1, "mlflow_task_failed", task="drill")
    assert metrics.stop() == 0


def test_artifacts_in_a_bucket_stay_there(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a backup is of the database only, and a restore leaves a folder of that name alone."""
    server = volume.server()
    log_run(server.url, "kept", monkeypatch)
    server.stop()
    volume.env["MLFLOW_ARTIFACTS_DESTINATION"] = f"s3://{BUCKET}/artifacts"
    volume.backup()
    before = volume.files()
    assert "and 0 artifacts" in volume.restore()
    assert volume.files() == before


def test_a_backup_of_postgresql_is_none(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    volume.server().stop()
    volume.backup()
    facts = volume.keys()[2]
    body = volume.get(facts).replace(b'"SQLite ', b'"18.1 ')
    volume.s3.client().put_object(Bucket=BUCKET, Key=facts, Body=body)
    assert "is a backup of PostgreSQL" in volume.restore(code=1)
