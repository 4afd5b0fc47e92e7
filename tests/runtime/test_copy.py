"""`mlflowops copy`: an MLflow of a laptop into PostgreSQL and S3, with all its ids."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cli import laptop
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import ViewType
from mlflowops.copier.copying import copy_all
from mlflowops.importer.snapshot import copy_sqlite
from mlflowops.importer.source import local_locations

from runtime import copies
from runtime.copies import KEY, RUNS, Copy, Env
from runtime.s3 import BUCKET, S3
from runtime.server import Server

ADDRESSES = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}
PLACE = "mlflow.artifactLocation"
LEFT_OUT = {"alembic_version", "job_locks", "scheduler_leases"}


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The SQLite file of an MLflow of a laptop; tests change copies of it only."""
    memory = Path("/dev/shm")  # SQLite waits for disks
    folder = memory / f"mlflow-copy-{uuid4().hex[:6]}" if memory.is_dir() else tmp_path_factory.mktemp("old")
    folder.mkdir(exist_ok=True)
    yield copies.old_mlflow(folder)
    shutil.rmtree(folder)


@pytest.fixture
def release(ready_database: Callable[[], Env], s3: S3) -> Env:
    """The variables of a release with an empty database."""
    stores = {**ready_database(), **s3.environment("plain"), "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": KEY}
    return {**stores, "MLFLOW_ARTIFACTS_DESTINATION": f"s3://{BUCKET}/{uuid4().hex}"}


def run(copy: Path, env: Env, old: Path, folder: Path, **more: Path) -> dict[str, Any]:
    """What `mlflowops copy` does, without Kubernetes."""
    copy_sqlite(old, folder / "snapshot")
    files = [("database", folder / "snapshot"), *more.items()]
    with copies.copying(copy, env) as orders:
        return copy_all(orders, files, local_locations(old, "sqlite", []))


def without_addresses(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    for table, names in ADDRESSES.items():
        rows[table] = [
            {key: value for key, value in row.items() if key not in names or "models:/" in str(value)}
            for row in rows[table]
        ]
    rows["trace_tags"] = [
        {**row, "value": "" if row["key"] == PLACE else row["value"]} for row in rows["trace_tags"]
    ]
    return {table: copies.comparable(each) for table, each in rows.items()}


def test_two_thousand_runs_survive_a_kill_and_are_the_same(
    old: Path, release: Env, tmp_path: Path, start: Callable[..., Server], s3: S3
) -> None:
    before = old.read_bytes()
    copy_sqlite(old, tmp_path / "half")
    program = Copy(tmp_path / "first", release).ready()
    program.orders.send(tmp_path / "half", "database")
    program.orders.result("open")
    copies.wait_for_rows(program.orders, "metrics")
    program.kill()
    assert copies.postgres_rows(release, ["runs"])["runs"] == [], "all or nothing"

    report = run(tmp_path / "second", release, old, tmp_path)
    assert (report["refused"], report["different"], report["copied_before"]) == ([], [], False)
    assert report["tables"]["runs"]["source"] == report["tables"]["runs"]["equal"] > RUNS
    again = run(tmp_path / "third", release, old, tmp_path)
    assert (again["copied_before"], again["artifacts"]["copied"]) == (True, 0)
    assert again["tables"] == report["tables"]
    assert old.read_bytes() == before

    wanted = copies.sqlite_rows(old)
    for name in LEFT_OUT:
        wanted.pop(name)
    found = copies.postgres_rows(release, list(wanted))
    same(wanted, found)
    usable(start(**release).ready().url, old)


def same(wanted: dict[str, list[dict[str, Any]]], found: dict[str, list[dict[str, Any]]]) -> None:
    """All rows of all tables, but for the addresses."""
    filled = {name for name, rows in wanted.items() if rows}
    assert {"assessments", "evaluation_dataset_records", "logged_models", "spans", "webhooks"} <= filled
    addresses = [row[name] for table, names in ADDRESSES.items() for row in found[table] for name in names]
    addresses += [row["value"] for row in found["trace_tags"] if row["key"] == PLACE]
    assert {str(each).partition("/")[0] for each in addresses} <= {"mlflow-artifacts:", "models:", "None"}
    left, right = without_addresses(wanted), without_addresses(found)
    assert [name for name in left if left[name] != right[name]] == []


def usable(url: str, old: Path) -> None:
    """A client finds everything at a server of the release, artifacts byte by byte, and can go on."""
    client = MlflowClient(url, registry_uri=url)
    place = old.parent / "mlruns"
    with laptop.mlflow_of_the_process(url):
        for number in (0, 999, RUNS - 1):
            run_id = f"{number:032x}"
            assert client.get_run(run_id).data.params == {"seed": str(number)}
            text = Path(download_artifacts(run_id=run_id, artifact_path="report.txt")).read_bytes()
            assert text == (place / "0" / run_id / "artifacts/report.txt").read_bytes()
        (parent,) = client.search_runs(["1"], "attributes.run_name = 'parent'")
        big = Path(download_artifacts(run_id=parent.info.run_id, artifact_path="big.bin")).read_bytes()
        assert big == bytes(range(256)) * 4096
        model = Path(download_artifacts("models:/fraud@champion"), "MLmodel").read_bytes()
        assert model in [file.read_bytes() for file in place.rglob("models/*/artifacts/MLmodel")]
        assert Path(download_artifacts("models:/fraud-old/1"), "MLmodel").exists()
        assert Path(download_artifacts("models:/loose/1"), "MLmodel").read_text() == "flavors: {}\n"
        assert client.get_prompt_version("fraud-prompt", 1).template == "Say {{word}}"
        traces = client.search_traces(locations=["1"])
        assert sorted(trace.data.spans[0].inputs["number"] for trace in traces) == list(range(5))
        assert {webhook.name for webhook in client.list_webhooks()} == {"signed", "plain"}
        last = max(int(each.experiment_id) for each in client.search_experiments(ViewType.ALL))
        assert client.create_experiment("after") == str(last + 1)
