"""`mlflowops import`: each kind of source, into a real tracking server."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType

from cli import compare, laptop
from cli.cli import Answer, Cli
from cli.conftest import MEMORY, running_server


@dataclass(frozen=True)
class Laptop:
    """An MLflow that was filled: its experiments and models start with `name`."""

    name: str
    source: str
    client: MlflowClient
    folder: Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory: files and SQLite are slow on a busy disk."""
    folder = tmp_path_factory.mktemp("laptops")
    if not MEMORY.is_dir():
        yield folder
        return
    memory = MEMORY / f"mlflow-laptops-{os.getpid()}"
    memory.mkdir()
    yield memory
    shutil.rmtree(memory)


@pytest.fixture(scope="module")
def environment() -> Iterator[None]:
    """Let this process write a file store, and print nothing about it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        patch.setenv("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
        yield


@pytest.fixture(scope="module")
def file_store(folder: Path, environment: None) -> Laptop:
    home = folder / "file"
    home.mkdir()
    uri = f"file://{home}/mlruns"
    laptop.fill(uri, home, "file")
    return Laptop("file", f"{home}/mlruns", MlflowClient(uri, registry_uri=uri), home)


@pytest.fixture(scope="module")
def database(folder: Path, environment: None) -> Laptop:
    home = folder / "database"
    home.mkdir()
    uri = f"sqlite:///{home}/mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)  # without a server artifacts go to ./mlruns
        laptop.fill(uri, home, "database")
    return Laptop("database", uri, MlflowClient(uri, registry_uri=uri), home)


@pytest.fixture(scope="module")
def other_server(folder: Path, environment: None) -> Iterator[Laptop]:
    home = folder / "server"
    home.mkdir()
    with running_server(home) as address:
        laptop.fill(address, home, "server")
        yield Laptop("server", address, MlflowClient(address, registry_uri=address), home)


@pytest.fixture(scope="module")
def imported(tracking_server: str) -> Callable[[Laptop, Cli], Answer]:
    """Import a laptop once; the tests look at the same result."""
    answers: dict[str, Answer] = {}

    def once(source: Laptop, cli: Cli) -> Answer:
        if source.name not in answers:
            answers[source.name] = cli("import", source.source, "--output", "json")
        return answers[source.name]

    return once


@pytest.fixture(params=["file_store", "database", "other_server"])
def source(
    request: pytest.FixtureRequest, cli: Cli, server: MlflowClient, imported: Callable[[Laptop, Cli], Answer]
) -> Laptop:
    """Each kind of source, after its import."""
    source: Laptop = request.getfixturevalue(request.param)
    answer = imported(source, cli)
    assert answer.code == 0, answer.err + answer.out
    return source


def test_every_run_arrives_with_all_that_it_holds(source: Laptop, server: MlflowClient) -> None:
    old, new = compare.runs(source.client, source.name), compare.runs(server, source.name)
    assert old.keys() == new.keys()
    for name, run in old.items():
        there = compare.facts(server, new[name])
        assert there == compare.facts(source.client, run), name
        assert new[name].data.tags["mlflowops.import.source"] == run.info.run_id
    assert len(compare.points(server, new["parent"].info.run_id, "loss")) == 1500
    assert compare.points(server, new["parent"].info.run_id, "nan") == {(laptop.START, 0, "nan")}


def test_children_find_their_parent_and_notes_their_run(source: Laptop, server: MlflowClient) -> None:
    runs = compare.runs(server, source.name)
    parent = runs["parent"].info.run_id
    assert [runs[f"child-{number}"].data.tags["mlflow.parentRunId"] for number in range(3)] == [parent] * 3
    assert runs["parent"].data.tags["mlflow.note.content"] == f"see {parent}"
    assert runs["parent"].data.tags["about"] == "a" * 32


def test_artifacts_arrive_byte_by_byte(source: Laptop, server: MlflowClient, tmp_path: Path) -> None:
    old, new = compare.runs(source.client, source.name), compare.runs(server, source.name)
    files = compare.files(server, new["parent"], tmp_path / "new")
    assert files == compare.files(source.client, old["parent"], tmp_path / "old")
    assert set(files) == {"big.bin", "empty.txt", "notes/día 1/text.txt"}


def test_deleted_runs_and_experiments_stay_deleted_and_can_be_restored(
    source: Laptop, server: MlflowClient, tmp_path: Path
) -> None:
    assert compare.runs(server, source.name)["deleted"].info.lifecycle_stage == "deleted"
    abandoned = compare.experiment(server, f"{source.name}-abandoned")
    assert abandoned.lifecycle_stage == "deleted"
    [run] = server.search_runs([abandoned.experiment_id], "", ViewType.ALL)
    assert compare.files(server, run, tmp_path) == {"file.txt": b"still here"}


def test_experiments_keep_their_tags(source: Laptop, server: MlflowClient) -> None:
    tags = compare.experiment(server, source.name).tags
    assert tags["team"] == "fraud"
    assert tags["mlflow.note.content"] == "our **first** try"


def test_logged_models_keep_params_metrics_and_runs(source: Laptop, server: MlflowClient) -> None:
    [model] = server.search_logged_models([compare.experiment(server, source.name).experiment_id])
    runs = compare.runs(server, source.name)
    assert (model.name, model.model_type, str(model.status)) == ("echo", "agent", "READY")
    assert (model.params, model.tags["kind"]) == ({"depth": "3"}, "toy")
    assert model.source_run_id == runs["parent"].info.run_id
    assert [(each.key, each.value, each.run_id) for each in model.metrics or []] == [
        ("quality", 0.75, runs["evaluation"].info.run_id)
    ]
    written = runs["parent"].outputs
    read = server.get_run(runs["evaluation"].info.run_id).inputs  # a search does not return it
    assert written is not None
    assert read is not None
    assert [(each.model_id, each.step) for each in written.model_outputs] == [(model.model_id, 7)]
    assert [each.model_id for each in read.model_inputs] == [model.model_id]


def test_registered_models_keep_numbers_aliases_and_stages(source: Laptop, server: MlflowClient) -> None:
    model = server.get_registered_model(source.name)
    assert (model.description, model.tags["owner"]) == ("says it again", "ana")
    assert model.aliases == {"champion": "3", "challenger": "4"}
    versions = {each.version: each for each in server.search_model_versions(f"name = '{source.name}'")}
    assert {str(number) for number in versions} == {"1", "3", "4"}
    third = server.get_model_version(source.name, "3")
    assert (third.current_stage, third.description, third.tags["number"]) == ("Production", "v", "2")
    assert third.run_id == compare.runs(server, source.name)["parent"].info.run_id


def test_imported_models_answer_and_know_their_new_ids(source: Laptop, server: MlflowClient) -> None:
    today = mlflow.pyfunc.load_model(f"models:/{source.name}@champion")
    assert list(today.predict(["hola"])) == ["hola"]
    [model] = server.search_logged_models([compare.experiment(server, source.name).experiment_id])
    assert today.metadata.model_id == model.model_id
    assert today.metadata.run_id == compare.runs(server, source.name)["parent"].info.run_id
    assert list(mlflow.pyfunc.load_model(f"models:/{source.name}-old/1").predict(["sí"])) == ["sí"]


def test_the_report_counts_and_tells_what_stays_behind(
    source: Laptop, cli: Cli, imported: Callable[[Laptop, Cli], Answer]
) -> None:
    report = imported(source, cli).data
    assert all(each["source"] == each["verified"] for each in report["counts"].values())
    counts = {kind: each["source"] for kind, each in report["counts"].items()}
    expected = {"runs": 10, "logged models": 1, "registered models": 2, "model versions": 4, "aliases": 2}
    assert counts.items() >= expected.items()
    assert counts["metric points"] == 1500 + 4 + 3 + 1
    assert report["problems"] == []
    assert report["notes"] == ["the source holds prompts; they are not imported"]


def test_a_bucket_without_the_package_that_reads_it_is_explained(
    cli: Cli, server: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with the wheel, which does not depend on boto3."""
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.create_experiment(f"bucket-{uuid4().hex[:6]}", "s3://bucket/mlflow")
    client.create_run(experiment, run_name="one")
    monkeypatch.setitem(sys.modules, "boto3", None)
    answer = cli("import", tmp_path / "mlflow.db", "--artifacts", "s3://bucket/mlflow")
    assert answer.code == 2
    assert "the store of some artifacts needs the Python package boto3; install it beside" in answer.err
