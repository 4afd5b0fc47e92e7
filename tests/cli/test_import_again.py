"""`mlflowops import` a second time: after a crash, after changes, after damage; and what it refuses."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base as InitialBase
from mlflowops.shell import run
from sqlalchemy import create_engine

from cli import compare, laptop
from cli.cli import Cli
from cli.conftest import MEMORY
from testbed import paths

RUNS = int(os.environ.get("TESTS_IMPORT_RUNS", "500"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for a small source; in memory, since SQLite waits for disks."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    folder = MEMORY / f"mlflow-{uuid4().hex[:8]}" if MEMORY.is_dir() else tmp_path
    folder.mkdir(exist_ok=True)
    yield folder
    shutil.rmtree(folder)


def small(home: Path) -> tuple[str, MlflowClient, str]:
    """Write a file store of one run; return the name of its experiment, a client, the run."""
    name = f"small-{uuid4().hex[:6]}"
    client = MlflowClient(f"file://{home}/mlruns")
    experiment = client.create_experiment(name)
    run = client.create_run(experiment, laptop.START, {}, "one").info.run_id
    client.log_batch(run, [Metric("f1", 0.5, laptop.START, 0)])
    client.log_text(run, "hello", "folder/file.txt")
    client.set_terminated(run, "FINISHED", laptop.START + 1)
    return name, client, run


def checksums(folder: Path) -> dict[str, str]:
    """Fingerprint every file of a folder."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_second_import_writes_nothing_and_never_touches_the_source(
    cli: Cli, server: MlflowClient, home: Path
) -> None:
    name, _, _ = small(home)
    before = checksums(home)
    assert cli("import", home / "mlruns").code == 0
    again = cli("import", home / "mlruns", "--output", "json")
    assert (again.code, again.data["written"]) == (0, {"models": 0, "runs": 0})
    assert len(compare.runs(server, name)) == 1
    assert checksums(home) == before


def test_only_what_is_new_or_changed_is_written(cli: Cli, server: MlflowClient, home: Path) -> None:
    name, client, _ = small(home)
    experiment = compare.experiment(client, name).experiment_id
    open_run = client.create_run(experiment, laptop.START, {}, "open").info.run_id
    cli("import", home)  # the folder around mlruns will do
    client.log_batch(open_run, [Metric("f1", 0.9, laptop.START, 0)])
    client.set_terminated(open_run, "FINISHED", laptop.START + 9)
    client.create_run(experiment, laptop.START, {}, "new")
    again = cli("import", home, "--output", "json")
    assert (again.code, again.data["written"]) == (0, {"models": 0, "runs": 2})
    runs = compare.runs(server, name)
    assert set(runs) == {"one", "open", "new"}
    assert (runs["open"].info.status, runs["open"].data.metrics) == ("FINISHED", {"f1": 0.9})


def test_damage_is_found_and_repaired_by_the_next_import(
    cli: Cli, server: MlflowClient, home: Path, tmp_path: Path
) -> None:
    name, _, old = small(home)
    cli("import", home)
    new = compare.runs(server, name)["one"]
    server.log_text(new.info.run_id, "HELLO", "folder/file.txt")  # the same size
    server.set_terminated(new.info.run_id, "FAILED", laptop.START + 1)
    found = cli("import", home, "--output", "json")
    assert found.code == 1
    assert found.data["problems"] == [f"run {old}: differs in status, folder/file.txt differs"]
    assert found.data["counts"]["artifacts"] == {"source": 1, "verified": 0}
    assert cli("import", home).code == 0
    assert compare.files(server, new, tmp_path) == {"folder/file.txt": b"hello"}


def test_people_get_a_verdict(cli: Cli, server: MlflowClient, home: Path) -> None:
    name, _, _ = small(home)
    cli("import", home)
    new = compare.runs(server, name)["one"].info.run_id
    shown = cli("import", home)
    assert "complete and verified" in shown.out
    server.set_tag(new, "mlflow.runName", "renamed")
    shown = cli("import", home)
    assert "not complete: run it again" in " ".join(shown.out.split())
    assert "differs in name" in " ".join(shown.out.split())


def test_a_moved_file_store_brings_its_artifacts(
    cli: Cli, server: MlflowClient, home: Path, tmp_path: Path
) -> None:
    name, client, _ = small(home)
    gone = client.create_experiment(f"{name}-gone")
    client.log_text(client.create_run(gone, laptop.START, {}, "x").info.run_id, "trash", "file.txt")
    client.delete_experiment(gone)
    (home / "mlruns").rename(home / "elsewhere")
    answer = cli("import", home / "elsewhere", "--output", "json")
    assert answer.code == 0, answer.out
    assert answer.data["counts"]["artifacts"]["verified"] == 2
    assert compare.files(server, compare.runs(server, name)["one"], tmp_path) == {"folder/file.txt": b"hello"}


def test_a_database_of_a_server_needs_the_folder_of_its_artifacts(
    cli: Cli, server: MlflowClient, home: Path, tmp_path: Path
) -> None:
    name = f"served-{uuid4().hex[:6]}"
    client = MlflowClient(f"sqlite:///{home}/mlflow.db")
    experiment = client.create_experiment(name, f"mlflow-artifacts:/{uuid4().hex[:4]}")
    run = client.create_run(experiment, laptop.START, {}, "one").info
    stored = home / "stored" / run.artifact_uri.removeprefix("mlflow-artifacts:/")
    stored.mkdir(parents=True)
    (stored / "file.txt").write_text("hello")
    without = cli("import", f"sqlite:///{home}/mlflow.db")
    assert without.code == 2
    assert "a server stored its artifacts; give its folder with --artifacts ./mlartifacts" in without.err
    assert cli("import", f"sqlite:///{home}/mlflow.db", "--artifacts", home / "stored").code == 0
    assert compare.files(server, compare.runs(server, name)["one"], tmp_path) == {"file.txt": b"hello"}


def test_a_database_of_an_older_mlflow_is_read_and_left_as_it_is(
    cli: Cli, server: MlflowClient, home: Path
) -> None:
    uri, name = f"sqlite:///{home}/mlflow.db", f"old-{uuid4().hex[:6]}"
    config = _get_alembic_config(uri)
    revisions = [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()]
    InitialBase.metadata.create_all(create_engine(uri))  # the first revision changes tables
    command.upgrade(config, revisions[25])
    with sqlite3.connect(home / "mlflow.db") as database:
        database.execute(
            "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage)"
            f" VALUES (1, '{name}', '{home}/a', 'active')"
        )
        database.execute(
            "INSERT INTO runs (run_uuid, name, status, start_time, end_time, lifecycle_stage, artifact_uri,"
            " experiment_id, source_type, user_id) VALUES"
            f" ('{'0' * 32}', 'one', 'FINISHED', 1, 2, 'active', '{home}/a/b', 1, 'LOCAL', 'ana')"
        )
    database.close()
    before = checksums(home)
    assert cli("import", home / "mlflow.db").code == 0
    assert compare.runs(server, name)["one"].info.end_time == 2
    assert checksums(home) == before


def test_a_database_of_a_newer_mlflow_is_refused(cli: Cli, server: MlflowClient, home: Path) -> None:
    MlflowClient(f"sqlite:///{home}/mlflow.db").search_experiments()
    with sqlite3.connect(home / "mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    database.close()
    answer = cli("import", home / "mlflow.db")
    assert answer.code == 2
    assert "its schema cannot be upgraded; most often a newer MLflow made it" in answer.err or (
        "most often a newer MLflow made it; install the MLflow that made it" in answer.err
    )


def test_a_model_that_the_server_has_already_keeps_its_versions_and_alias(
    cli: Cli, server: MlflowClient, home: Path
) -> None:
    name, client, run = small(home)
    for each in (server, client):
        each.create_registered_model(name)
    for _ in range(2):
        made = server.create_run("0").info
        server.create_model_version(name, f"{made.artifact_uri}/model", made.run_id)
    server.set_registered_model_alias(name, "champion", "2")
    client.create_model_version(name, f"{client.get_run(run).info.artifact_uri}/folder", run)
    client.set_registered_model_alias(name, "champion", "1")
    client.set_registered_model_alias(name, "old", "1")
    answer = cli("import", home, "--output", "json")
    assert answer.code == 0, answer.out
    assert answer.data["notes"] == [
        f"{name}: version 1 became version 3",
        f"{name}@champion stays at version 2 of the server",
    ]
    assert server.get_registered_model(name).aliases == {"champion": "2", "old": "3"}
    assert cli("import", home).code == 0
    assert len(server.search_model_versions(f"name = '{name}'")) == 3


def test_an_experiment_that_people_deleted_on_the_server_is_not_revived(
    cli: Cli, server: MlflowClient, home: Path
) -> None:
    name, _, _ = small(home)
    cli("import", home)
    server.delete_experiment(compare.experiment(server, name).experiment_id)
    answer = cli("import", home)
    assert answer.code == 2
    assert (
        f"experiment {name}: is deleted on the server; restore it with `mlflow experiments restore"
        in answer.err
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("absent", "no such file or folder; give ./mlruns, sqlite:///mlflow.db or http://host:5000."),
        ("sqlite:///{home}/absent.db", "no such file or folder;"),
        ("{home}", "holds no experiments;"),
        ("{home}/text.txt", "not a readable SQLite file"),
        (
            "sqlite:///{home}/other.db",
            "not a database of MLflow; give the file named in --backend-store-uri.",
        ),
        (
            "postgresql://host/db",
            "not a file store, SQLite file or http(s) address; run `mlflow server` over it",
        ),
        ("http://127.0.0.1:9", "http://127.0.0.1:9 does not answer;"),
        ("{server}/", "is the server itself; point MLFLOW_TRACKING_URI at another server."),
    ],
)
def test_a_wrong_source_is_one_sentence(
    cli: Cli, server: MlflowClient, home: Path, source: str, message: str
) -> None:
    (home / "text.txt").write_text("not SQLite, and long enough to be no empty database either" * 20)
    with sqlite3.connect(home / "other.db") as other:
        other.execute("CREATE TABLE t (i INTEGER)")
    other.close()
    answer = cli("import", source.format(home=home, server=server.tracking_uri))
    assert answer.code == 2
    assert message in answer.err


def test_a_wrong_folder_of_artifacts_is_one_sentence(cli: Cli, server: MlflowClient, home: Path) -> None:
    answer = cli("import", home, "--artifacts", home / "absent")
    assert answer.code == 2
    assert "absent: no such folder;" in answer.err


def test_a_broken_line_of_a_metric_is_named(cli: Cli, server: MlflowClient, home: Path) -> None:
    _, client, run = small(home)
    place = home / "mlruns" / client.get_run(run).info.experiment_id / run / "metrics" / "f1"
    place.write_text(place.read_text() + "17000\n")
    answer = cli("import", home)
    assert answer.code == 2
    assert "metrics/f1: line 2 is not a point of a metric: '17000'; remove the line." in answer.err


def test_many_runs_survive_a_crash_and_an_interruption(server: MlflowClient) -> None:
    """Killed while it creates runs, interrupted while it fills them, then left to end: each is there once."""
    source = many_runs()
    kill_when(f"attributes.run_name = 'run-{RUNS // 5}'", source, server, signal.SIGKILL)
    code, said = kill_when(f"tags.number = '{RUNS // 5}'", source, server, signal.SIGINT)
    assert code == 130, said
    assert "interrupted; run the same command to continue." in said
    code, said = started(source, server).wait_for_end()
    assert code == 0, said
    runs = compare.runs(server, source.name)
    assert len(runs) == RUNS
    assert sum(run.info.status == "FAILED" for run in runs.values()) == RUNS / 50
    number = RUNS - 20
    sample = runs[f"run-{number}"]
    assert compare.points(server, sample.info.run_id, "loss") == {
        (laptop.START + 1000 * number + step, step, repr(1 / (number + step + 1))) for step in range(5)
    }
    assert server.list_artifacts(sample.info.run_id, "reports")[0].file_size == len(f"report {number}\n" * 10)


class Started:
    """A running `mlflowops import`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def wait_for_end(self) -> tuple[int, str]:
        """Return the exit code and what it said."""
        said = self.process.communicate(timeout=900)[0]
        return self.process.returncode, said


def started(source: Path, server: MlflowClient) -> Started:
    """Start an import in a process of its own."""
    env = {**os.environ, "MLFLOW_TRACKING_URI": server.tracking_uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    # A job in the background of a shell ignores SIGINT, and so would everything that these tests start.
    words = ["env", "--default-signal=INT", sys.executable, "-m", "mlflowops", "import", str(source)]
    return Started(
        subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    )


def kill_when(found: str, source: Path, server: MlflowClient, how: signal.Signals) -> tuple[int, str]:
    """Start an import, and send a signal as soon as the server has a run that the filter finds."""
    job = started(source, server)
    while job.process.poll() is None:
        experiment = server.get_experiment_by_name(source.name)
        if experiment and server.search_runs([experiment.experiment_id], found, max_results=1):
            job.process.send_signal(how)
            break
        time.sleep(0.2)
    return job.wait_for_end()


def many_runs() -> Path:
    """Let MLflow write them once; the folder's name, and its experiment's, come from the code that writes."""
    name = f"many-{RUNS}-{sha256(Path(laptop.__file__).read_bytes()).hexdigest()[:8]}"
    folder = paths.cache("tests") / name
    if not folder.exists():
        draft = paths.cache("tests") / f"{name}-{uuid4().hex[:6]}"
        code = f"from cli import laptop; laptop.many('file://{draft}', {RUNS}, '{name}')"
        where = {"PYTHONPATH": str(paths.REPO / "tests"), "MLFLOW_ALLOW_FILE_STORE": "true"}
        run([sys.executable, "-c", code], env=where | {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"})
        draft.rename(folder)
    return folder
