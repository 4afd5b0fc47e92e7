"""`mlflowops import` from sources that name what is not theirs: it stays where it is."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock
from uuid import uuid4

import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Metric, RunTag
from mlflowops.errors import OpsError
from mlflowops.importer import source as sources
from mlflowops.importer.folder import Folder
from mlflowops.importer.locations import AllowedLocations, Refused, redacted
from mlflowops.importer.transfer import Transfer

from cli import compare, laptop
from cli.cli import Cli
from cli.conftest import MEMORY, running_server

SECRET = "PRIVATE KEY"
RUN = "0123456789abcdef" * 2

# {out} is a folder outside of the source's own, {name} its name; {own} is the source's own folder.
SPELLINGS = [
    "{out}",
    "{out}/",
    "{out}/key",
    "{out}/../{name}",
    "{own}/../{name}",
    "{own}/0/../../{name}",
    "../{name}",
    "./../{name}",
    "file://{out}",
    "file:{out}",
    "FILE://{out}",
    "file:///{out}",
    "file://localhost{out}",
    "file://elsewhere{out}",
    "file://{own}/../{name}",
    "file://{own}/%2e%2e/{name}",
    "file://{own}/%2E%2E%2f{name}",
    "{own}/%2e%2e/{name}",
    "/{out}",
    "//{out}",
    "{out}?{own}",
    "{own}",
    "{own}/.",
    "{own}/x/..",
    ".",
    "{own}/.ssh",
    "{own}/x/../.ssh",
    "{own}/x/.ssh/y",
    "{own}/out",
    "{own}/out/inner",
    "{own}/x/out",
    "file://{own}/out",
    "{own}/%00",
    "{own}/x\n/../../{name}",
    "{out}\x1b[2J",
    "mlflow-artifacts:{out}",
    "mlflow-artifacts:/../{name}",
    "mlflow-artifacts:/%2e%2e/{name}/" + RUN,
    "mlflow-artifacts:/../../" + RUN + "/out",
    "mlflow-artifacts://127.0.0.1:9/1/" + RUN,
    "C:\\Users\\ana\\.ssh",
    "C:/Users/ana/.ssh",
    "file:///C:/Users/ana/.ssh",
    "\\\\host\\share",
    "s3://bucket/path",
    "S3://bucket/path",
    "gs://bucket/path",
    "wasbs://container@account.blob.core.windows.net/path",
    "abfss://files@account.dfs.core.windows.net/path",
    "http://169.254.169.254/latest/meta-data",
    "https://127.0.0.1:9/x",
    "ftp://user:password@host/path",
    "sftp://host/path",
    "hdfs://host/path",
    "dbfs:/path",
    "runs:/" + RUN,
    "models:/name/1",
    "http://[",
    "~/.ssh",
    "~root/.ssh",
    "$HOME/.ssh",
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in memory with a secret in `outside`, and links to it in `own`."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    folder = MEMORY / f"mlflow-{uuid4().hex[:8]}" if MEMORY.is_dir() else tmp_path / "home"
    for each in ("outside/inner", "outside/inner/artifacts", "own/.ssh", "own/x/.ssh/y", "own/mlartifacts"):
        (folder / each).mkdir(parents=True)
        (folder / each / "key").write_text(SECRET)
    for each in ("outside", "own"):
        (folder / each / "key").write_text(SECRET)
    for link in ("own/out", "own/x/out", f"own/mlartifacts/{RUN}"):
        (folder / link).symlink_to(folder / "outside")
    yield folder
    shutil.rmtree(folder)


def spelled(text: str, home: Path) -> str:
    """Fill the names into one of SPELLINGS."""
    for key, value in (("out", home / "outside"), ("own", home / "own"), ("name", "outside")):
        text = text.replace(f"{{{key}}}", str(value))
    return text


def locations(home: Path, *named: object) -> AllowedLocations:
    """What an import of the SQLite file in `own` may read."""
    return sources.local_locations(home / "own" / "mlflow.db", "sqlite", [str(each) for each in named])


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_database_may_name_no_place_but_its_own(home: Path, text: str) -> None:
    with pytest.raises(Refused):
        locations(home).resolve(spelled(text, home), RUN)


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_server_may_name_no_folder_of_this_machine(home: Path, text: str) -> None:
    with contextlib.suppress(Refused):
        there = AllowedLocations((), server="http://127.0.0.1:5001").resolve(spelled(text, home), RUN)
        assert isinstance(there, str)
        assert there.startswith("mlflow-artifacts:/")  # of that server: it looks itself


@pytest.mark.parametrize(
    "text",
    [
        "{own}/1/{run}/artifacts",
        "file://{own}/1/{run}/artifacts",
        "file://localhost{own}/1/{run}/artifacts",
        "{own}/x/../1/{run}/artifacts",
        "./1/{run}/artifacts",
        "file://{own}/d%C3%ADa%201",
        "{own}/día 1",
        "{own}/link",
    ],
)
def test_what_is_its_own_is_read(home: Path, text: str) -> None:
    for each in (f"own/1/{RUN}/artifacts", "own/día 1"):
        (home / each).mkdir(parents=True)
        (home / each / "file").write_text("hello")
    (home / "own" / "link").symlink_to("día 1")
    found = locations(home).resolve(spelled(text.replace("{run}", RUN), home), RUN)
    assert isinstance(found, Folder)
    assert list(found.files()) == ["file"]


def test_what_the_caller_names_is_read_too(home: Path) -> None:
    outside = home / "outside"
    assert isinstance(locations(home, outside).resolve(str(outside), RUN), Folder)
    assert isinstance(locations(home, outside).resolve(f"file://{outside}/inner", RUN), Folder)
    moved = home / "moved" / "1" / RUN / "artifacts"
    moved.mkdir(parents=True)
    for recorded in (f"/gone/1/{RUN}/artifacts", f"mlflow-artifacts:/1/{RUN}/artifacts"):
        found = locations(home, home / "moved").resolve(recorded, RUN)
        assert isinstance(found, Folder)
        assert found.path == moved
    assert locations(home, home / "moved").resolve("/gone/1/other/artifacts", "other") is None


@pytest.mark.parametrize(
    ("address", "read"),
    [
        ("s3://bucket/path", True),
        ("s3://bucket/path/1/run", True),
        ("s3://bucket/path2", False),
        ("s3://bucket/path/../other", False),
        ("s3://bucket/path/%2e%2e/other", False),
        ("s3://bucket/path/%252e%252e/other", False),
        ("s3://bucket/path/..\\other", False),
        ("s3://bucket/path?endpoint=evil", False),
        ("s3://bucket", False),
        ("s3://user:secret@bucket/path", False),
        ("s3://bucket.evil/path", False),
        ("gs://bucket/path", False),
        ("s3://bucket/path\n/x", False),
    ],
)
def test_a_store_is_read_below_the_address_that_the_caller_names(
    home: Path, address: str, read: bool
) -> None:
    allowed = locations(home, "s3://bucket/path/")
    if read:
        assert allowed.resolve(address, RUN) == address
    else:
        with pytest.raises(Refused):
            allowed.resolve(address, RUN)


@pytest.mark.parametrize("address", ["runs:/x", "models:/x/1"])
def test_an_address_that_stands_for_another_is_never_read(home: Path, address: str) -> None:
    with pytest.raises(Refused):
        locations(home, "runs://", "models://").resolve(address, RUN)


def test_a_server_of_artifacts_is_the_source_itself() -> None:
    there = AllowedLocations((), server="http://old:5000/prefix")
    for own in ("mlflow-artifacts:/1/run", "mlflow-artifacts://old:5000/1/run"):
        assert there.resolve(own, RUN) == own
    for other in ("mlflow-artifacts://evil:5000/1/run", "mlflow-artifacts://old:5000@evil/1/run"):
        with pytest.raises(Refused):
            there.resolve(other, RUN)


def test_a_home_folder_is_not_the_source_s_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home / "own"))
    for each in ("x", "mlruns/1"):
        (home / "own" / each).mkdir(parents=True, exist_ok=True)
    assert isinstance(locations(home).resolve("./mlruns/1", RUN), Folder)
    with pytest.raises(Refused):
        locations(home).resolve("./x", RUN)
    shutil.rmtree(home / "own" / "mlruns")
    (home / "own" / "mlruns").symlink_to(home / "outside")
    with pytest.raises(Refused):
        locations(home).resolve("./mlruns/inner", RUN)


def test_links_in_a_folder_of_artifacts_are_followed_only_inside(home: Path) -> None:
    folder = home / "own" / "1" / "artifacts"
    (folder / "real").mkdir(parents=True)
    (folder / "real" / "file").write_text("hello")
    (folder / ".hidden").write_text("hello")
    links = {
        "file": folder / "real" / "file",
        "folder": folder / "real",
        "key": home / "outside" / "key",
        "relative": Path("../../../outside/key"),
        "outside": home / "outside",
        "git": home / "own" / ".ssh",
        "loop": folder,
        "again": folder / "again",
        "dangling": home / "absent",
    }
    for name, target in links.items():
        (folder / "real" / name if name == "loop" else folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe")
    found = locations(home).resolve(str(folder), RUN)
    assert isinstance(found, Folder)
    assert set(found.files()) == {".hidden", "file", "real/file", "folder/file"}
    refused = {each.split("'")[1] for each in found.refused}
    assert refused == {
        *("again", "dangling", "folder/loop", "git", "key", "outside", "pipe", "real/loop", "relative"),
    }


def test_an_address_is_shown_without_its_password() -> None:
    assert redacted("ftp://ana:secret@host/x?sig=secret") == "'ftp://ana:...@host/x'"
    assert redacted("/x\x1b[2J") == r"'/x\x1b[2J'"


def hostile_database(home: Path) -> tuple[str, MlflowClient, dict[str, str]]:
    """Write a database in which each run names another place; return its experiment, a client, the places."""
    name, uri = f"hostile-{uuid4().hex[:6]}", f"sqlite:///{home}/own/mlflow.db"
    client = MlflowClient(uri, registry_uri=uri)
    experiment = client.create_experiment(name, str(home / "outside"))
    named = {}
    for number, text in enumerate(each for each in SPELLINGS if "%00" not in each):
        run = client.create_run(experiment, laptop.START, {}, f"run-{number}").info.run_id
        named[run] = spelled(text, home).replace(RUN, run)
        client.set_terminated(run, "FINISHED", laptop.START + 1)
    good = client.create_run(experiment, laptop.START, {}, "good").info.run_id
    named[good] = str(home / "own" / "1" / good / "artifacts")
    (home / "own" / "1" / good / "artifacts").mkdir(parents=True)
    (home / "own" / "1" / good / "artifacts" / "file.txt").write_text("hello")
    dataset = Dataset("keys", "1", "local", f'{{"uri": "file://{home}/outside/key"}}')
    client.log_inputs(good, [DatasetInput(dataset, [])])
    client.set_terminated(good, "FINISHED", laptop.START + 1)
    with sqlite3.connect(home / "own" / "mlflow.db") as database:
        for run, address in named.items():
            database.execute("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", (address, run))
    database.close()
    return name, client, named


def test_an_import_leaves_out_what_a_hostile_database_names(
    cli: Cli, server: MlflowClient, home: Path, tmp_path: Path
) -> None:
    name, _, named = hostile_database(home)
    answer = cli("import", f"sqlite:///{home}/own/mlflow.db", "--output", "json")
    assert answer.code == 1, answer.err
    runs = compare.runs(server, name)
    filled = [key for key, run in runs.items() if server.list_artifacts(run.info.run_id)]
    assert filled == ["good"]
    assert compare.files(server, runs["good"], tmp_path) == {"file.txt": b"hello"}
    refused = answer.data["refused"]
    assert len(refused) == len(named) - 1
    for run in list(named)[:-1]:
        [line] = [each for each in refused if each.startswith(f"run {run}: its artifacts at ")]
        assert "--artifacts" in line
        assert line.count("\n") == 0
    assert answer.data["problems"] == []
    assert answer.data["counts"]["runs"] == {"source": len(named), "verified": 1}
    assert compare.experiment(server, name).artifact_location.startswith("mlflow-artifacts:")


def test_what_was_refused_is_imported_when_its_place_is_named(
    cli: Cli, server: MlflowClient, home: Path, tmp_path: Path
) -> None:
    name = f"named-{uuid4().hex[:6]}"
    client = MlflowClient(f"sqlite:///{home}/own/mlflow.db")
    run = client.create_run(client.create_experiment(name, str(home / "far")), laptop.START, {}, "one").info
    Path(run.artifact_uri).mkdir(parents=True)
    (Path(run.artifact_uri) / "file.txt").write_text("hello")
    refused = cli("import", home / "own" / "mlflow.db")
    assert refused.code == 1
    assert "not complete: refused 1, see above" in " ".join(refused.out.split())
    assert server.list_artifacts(compare.runs(server, name)["one"].info.run_id) == []
    assert cli("import", home / "own" / "mlflow.db", "--artifacts", home / "far").code == 0
    assert compare.files(server, compare.runs(server, name)["one"], tmp_path) == {"file.txt": b"hello"}


def test_logged_models_and_versions_may_name_no_other_place_either(
    cli: Cli, server: MlflowClient, home: Path
) -> None:
    name, uri = f"models-{uuid4().hex[:6]}", f"sqlite:///{home}/own/mlflow.db"
    client = MlflowClient(uri, registry_uri=uri)
    experiment = client.create_experiment(name, str(home / "own" / "1"))
    run = client.create_run(experiment, laptop.START, {}, "one").info
    with laptop.mlflow_of_the_process(uri):
        model = client.create_logged_model(experiment, "m", source_run_id=run.run_id)
        client.create_registered_model(name)
        for _ in range(7):
            client.create_model_version(name, f"{run.artifact_uri}/model", run.run_id)
        client.set_registered_model_alias(name, "champion", "1")
        client.copy_model_version(f"models:/{name}/7", name)
    bad = [
        "s3://production/backups",
        str(home / "outside"),
        f"{run.artifact_uri}/../../../../outside",
        f"{run.artifact_uri}/%2e%2e/%2e%2e/x",
        "models:/somebody-else/1",
        f"{run.artifact_uri}-2/model",
    ]
    with sqlite3.connect(home / "own" / "mlflow.db") as database:
        where = "UPDATE logged_models SET artifact_location = ? WHERE model_id = ?"
        database.execute(where, (str(home / "outside"), model.model_id))
        for version, source in enumerate(bad, 1):
            database.execute("UPDATE model_versions SET source = ? WHERE version = ?", (source, version))
    database.close()
    answer = cli("import", home / "own" / "mlflow.db", "--output", "json")
    assert answer.code == 1, answer.err
    refused = answer.data["refused"]
    assert sum(each.startswith(f"model {model.model_id}: its artifacts at") for each in refused) == 1
    for version in range(1, 7):
        start = f"model {name}, version {version}: its source"
        assert sum(each.startswith(start) for each in refused) == 1, (version, refused)
    there = {
        each.tags["mlflowops.import.source"]: each for each in server.search_model_versions(f"name='{name}'")
    }
    new = compare.runs(server, name)["one"].info.artifact_uri
    assert {key: each.source for key, each in there.items()} == {"7": f"{new}/model", "8": f"{new}/model"}
    [made] = server.search_logged_models([compare.experiment(server, name).experiment_id])
    assert server.list_logged_model_artifacts(made.model_id) == []


@pytest.mark.parametrize("where", ["params/p", "tags/t", "metrics/m", "meta.yaml", "params"])
def test_a_file_store_that_links_its_files_to_the_outside_is_not_read(
    cli: Cli, server: MlflowClient, home: Path, where: str
) -> None:
    client = MlflowClient(f"file://{home}/store/mlruns")
    run = client.create_run(
        client.create_experiment(f"links-{uuid4().hex[:6]}"), laptop.START, {}, "one"
    ).info
    client.log_batch(run.run_id, [Metric("m", 1, 1, 1)], [], [RunTag("t", "x")])
    client.log_param(run.run_id, "p", "x")
    place = home / "store" / "mlruns" / run.experiment_id / run.run_id / where
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    place.symlink_to(home / "outside" / ("inner" if where == "params" else "key"))
    answer = cli("import", home / "store")
    assert answer.code == 2
    assert f"{where}: is a link to {home}/outside" in answer.err
    assert SECRET not in answer.err + answer.out


def test_a_file_store_that_links_through_its_own_artifacts_is_not_read(
    cli: Cli, server: MlflowClient, home: Path
) -> None:
    client = MlflowClient(f"file://{home}/store/mlruns")
    run = client.create_run(
        client.create_experiment(f"links-{uuid4().hex[:6]}"), laptop.START, {}, "one"
    ).info
    folder = home / "store" / "mlruns" / run.experiment_id / run.run_id
    (folder / "artifacts" / "p").symlink_to(home / "outside")
    shutil.rmtree(folder / "params")
    (folder / "params").symlink_to("artifacts")
    answer = cli("import", home / "store")
    assert answer.code == 2
    assert "outside of the file store; remove it, or put there what it links to." in answer.err


def test_a_folder_of_which_mlruns_is_a_link_is_not_read(home: Path) -> None:
    (home / "outside" / "0").mkdir()
    (home / "own" / "mlruns").symlink_to(home / "outside")
    with pytest.raises(OpsError, match=r"is a link to .*; give that folder as SOURCE if you trust it"):
        sources.resolve_path(str(home / "own"))


@pytest.mark.parametrize("address", ["/etc/ssh", "file:///etc/ssh", "FILE:///etc/ssh", "./x"])
def test_the_server_may_not_have_files_written_on_this_machine(home: Path, address: str) -> None:
    transfer = Transfer(Mock(), Mock(tracking_uri="https://new.example"), 1)
    with pytest.raises(OpsError, match="keeps artifacts in a folder of its own"):
        transfer.artifacts(address)
    assert Transfer(Mock(), Mock(tracking_uri=f"sqlite:///{home}/new.db"), 1).artifacts(address)


def test_a_server_as_a_source_brings_no_folder_of_this_machine(
    cli: Cli, server: MlflowClient, home: Path
) -> None:
    (home / "server").mkdir()
    name = f"served-{uuid4().hex[:6]}"
    with running_server(home / "server") as address:
        there = MlflowClient(address)
        run = there.create_run(there.create_experiment(name), laptop.START, {}, "one").info.run_id
        with sqlite3.connect(home / "server" / "mlflow.db") as database:
            database.execute("UPDATE runs SET artifact_uri = ?", (str(home / "outside"),))
        database.close()
        answer = cli("import", address, "--output", "json")
    assert answer.code == 1, answer.err
    assert [each.partition(" at ")[0] for each in answer.data["refused"]] == [f"run {run}: its artifacts"]
    assert server.list_artifacts(compare.runs(server, name)["one"].info.run_id) == []
