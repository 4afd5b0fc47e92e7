"""What `mlflowops copy` takes and what it refuses: small sources, one thing wrong or special in each."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy
from alembic import command
from mlflow import MlflowClient
from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore as AccountStore
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base as InitialBase
from mlflowops.copier.copying import copy_all
from mlflowops.errors import OpsError
from mlflowops.importer.locations import AllowedLocations
from mlflowops.importer.snapshot import copy_sqlite
from mlflowops.importer.source import local_locations

from runtime import copies
from runtime.copies import KEY, OTHER_KEY, Env
from runtime.revisions import OLDER
from runtime.s3 import BUCKET, S3
from runtime.server import environment, run

WEBHOOK_KEY = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"


@pytest.fixture
def release(ready_database: Callable[[], Env], s3: S3) -> Env:
    """The variables of a release with an empty database."""
    stores = {**ready_database(), **s3.environment("plain"), WEBHOOK_KEY: KEY}
    return {**stores, "MLFLOW_ARTIFACTS_DESTINATION": f"s3://{BUCKET}/{uuid4().hex}"}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The SQLite file of an MLflow with one run and one artifact."""
    folder = tmp_path / "old"
    folder.mkdir()
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    client.create_experiment("first", f"{folder}/mlruns/1")
    client.log_text(client.create_run("1").info.run_id, "hello", "file.txt")
    return folder / "mlflow.db"


def sql(file: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(statement, values)


def copied(
    release: Env, old: Path, folder: Path, *named: str, accounts: Path | None = None
) -> dict[str, Any]:
    """What `mlflowops copy` does, without Kubernetes."""
    files = [("database", folder / "snapshot")]
    copy_sqlite(old, folder / "snapshot")
    if accounts:
        files.append(("accounts", accounts))
    with copies.copying(folder / uuid4().hex, release) as orders:
        return copy_all(orders, files, local_locations(old, "sqlite", named))


def refused(release: Env, old: Path, folder: Path) -> str:
    with pytest.raises(OpsError) as error:
        copied(release, old, folder)
    return str(error.value)


def rows(release: Env, table: str) -> list[dict[str, Any]]:
    return copies.postgres_rows(release, [table])[table]


def test_a_release_with_runs_is_refused_and_stays(release: Env, old: Path, tmp_path: Path, s3: S3) -> None:
    copied(release, old, tmp_path)
    before = rows(release, "runs")
    other = tmp_path / "other"
    other.mkdir()
    MlflowClient(f"sqlite:///{other}/mlflow.db").create_experiment("other")
    wrong = "the release is not empty, it has rows in runs; copy into a new release with an empty database"
    assert wrong in refused(release, other / "mlflow.db", tmp_path)
    assert rows(release, "runs") == before


def test_a_repeated_copy_undoes_nothing(release: Env, old: Path, tmp_path: Path) -> None:
    copied(release, old, tmp_path)
    with closing(copies.connect(release)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE runs SET name = 'renamed since'")
    report = copied(release, old, tmp_path)
    assert report["copied_before"]
    ((run_id,),) = [(row["run_uuid"],) for row in rows(release, "runs")]
    assert report["different"] == [f"runs {(run_id,)}"]
    assert [row["name"] for row in rows(release, "runs")] == ["renamed since"]


def test_a_source_of_a_newer_mlflow_is_refused(release: Env, old: Path, tmp_path: Path) -> None:
    sql(old, "UPDATE alembic_version SET version_num = 'ffffffffffff'")
    assert (
        "revision ffffffffffff, which this release's MLflow does not know; deploy the MLflow that"
        in refused(release, old, tmp_path)
    )


def test_a_source_of_an_older_mlflow_is_upgraded_and_left_as_it_is(release: Env, tmp_path: Path) -> None:
    old = tmp_path / "mlflow.db"
    uri = f"sqlite:///{old}"
    InitialBase.metadata.create_all(sqlalchemy.create_engine(uri))
    command.upgrade(_get_alembic_config(uri), OLDER[25])
    sql(
        old,
        "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage)"
        " VALUES (7, 'old', '/gone', 'active')",
    )
    before = old.read_bytes()
    copied(release, old, tmp_path)
    assert [row["artifact_location"] for row in rows(release, "experiments")] == ["mlflow-artifacts:/7"]
    assert old.read_bytes() == before


def test_rows_that_refer_to_nothing_are_left_out(release: Env, old: Path, tmp_path: Path) -> None:
    sql(old, "INSERT INTO params VALUES ('lost', '1', 'gone')")
    assert copied(release, old, tmp_path)["notes"] == ["left out of params: rows whose row in runs is gone"]
    assert rows(release, "params") == []


@pytest.mark.parametrize("place", ["/etc", "s3://other-bucket/secrets", "http://169.254.169.254/latest"])
def test_no_address_of_the_source_reaches_the_release(
    release: Env, old: Path, tmp_path: Path, place: str
) -> None:
    """A server opens what its database names: a source could name files of its pod, or another bucket."""
    sql(old, "UPDATE runs SET artifact_uri = ?", place)
    sql(old, "UPDATE experiments SET artifact_location = ?", place)
    sql(old, "INSERT INTO registered_models (name) VALUES ('m')")
    sql(old, "INSERT INTO model_versions (name, version, source) VALUES ('m', 1, ?)", f"{place}/..")
    report = copied(release, old, tmp_path)
    assert len(report["refused"]) == 2
    assert all("are refused: " in each for each in report["refused"])
    written = [row["artifact_uri"] for row in rows(release, "runs")]
    written += [row["artifact_location"] for row in rows(release, "experiments")]
    written += [row["source"] for row in rows(release, "model_versions")]
    assert len(written) == 4
    assert all(each.startswith("mlflow-artifacts:/") and ".." not in each for each in written)


def test_an_id_that_is_a_path_is_refused(release: Env, old: Path, tmp_path: Path) -> None:
    sql(old, "PRAGMA foreign_keys = OFF")
    sql(old, "UPDATE runs SET run_uuid = '../../other'")
    sentence = refused(release, old, tmp_path)
    assert "the source has an id that MLflow never makes, '../../other'; remove that row" in sentence


def test_artifacts_of_a_bucket_are_copied_if_it_is_named(
    release: Env, old: Path, tmp_path: Path, s3: S3
) -> None:
    place = uuid4().hex
    sql(old, "UPDATE runs SET artifact_uri = 'mlflow-artifacts:/1/' || run_uuid || '/artifacts'")
    copied(release, old, tmp_path)
    ((run_id,),) = [(row["run_uuid"],) for row in rows(release, "runs")]
    key = f"1/{run_id}/artifacts/folder/file.txt"
    s3.client().put_object(Bucket=BUCKET, Key=f"{place}/{key}", Body=b"from a bucket")
    report = copied(release, old, tmp_path, f"s3://{BUCKET}/{place}")
    assert (report["copied_before"], report["artifacts"]["copied"], report["refused"]) == (True, 1, [])
    root = release["MLFLOW_ARTIFACTS_DESTINATION"].removeprefix(f"s3://{BUCKET}/")
    assert s3.client().get_object(Bucket=BUCKET, Key=f"{root}/{key}")["Body"].read() == b"from a bucket"


@pytest.mark.parametrize(
    ("own_key", "source_key", "kept"),
    [(KEY, "", True), (OTHER_KEY, KEY, True), (OTHER_KEY, "", False), ("", KEY, False)],
)
def test_secrets_of_webhooks(
    release: Env,
    old: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own_key: str,
    source_key: str,
    kept: bool,
) -> None:
    """They are those of the release then, or gone: MLflow lists no webhook beside one of another key."""
    from cryptography.fernet import Fernet

    copies.add_webhooks(f"sqlite:///{old}")
    monkeypatch.setenv("MLFLOWOPS_SOURCE_WEBHOOK_KEY", source_key)
    report = copied({**release, WEBHOOK_KEY: own_key}, old, tmp_path)
    lost = ["webhooks without their secrets, set them again: signed"]
    assert report["notes"] == ([] if kept else lost)
    secrets = {row["name"]: row["secret"] for row in rows(release, "webhooks")}
    assert secrets["plain"] is None
    if kept:
        assert Fernet(own_key).decrypt(secrets["signed"].encode()) == b"hush"
    else:
        assert secrets["signed"] is None


def test_accounts(release: Env, old: Path, tmp_path: Path) -> None:
    """With their passwords and permissions; the administrator of the release keeps the Secret's password."""
    release["MLFLOW_KUBERNETES_APP_NAME"] = "basic-auth"
    step = run("schema", environment(tmp_path, **release))
    assert step.wait(300) == 0
    with closing(copies.connect(release)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO users VALUES (1, 'admin', 'of the Secret', true), (2, 'robot', 'r', false)"
        )
    file = tmp_path / "basic_auth.db"
    store = AccountStore()
    store.init_db(f"sqlite:///{file}")
    for name in ("ana", "admin", "bob"):
        store.create_user(name, "a long password", is_admin=name == "admin")
    role = store.create_role("team", "default")
    store.assign_role_to_user(store.get_user("bob").id, role.id)
    copied(release, old, tmp_path, accounts=file)
    with closing(sqlite3.connect(file)) as database:
        hashes = dict(database.execute("SELECT username, password_hash FROM users"))
    found = {row["username"]: row for row in rows(release, "users")}
    assert {name: row["password_hash"] for name, row in found.items()} == {
        "ana": hashes["ana"],
        "bob": hashes["bob"],
        "admin": "of the Secret",
        "robot": "r",
    }
    (assigned,) = rows(release, "user_role_assignments")
    assert assigned["user_id"] == found["bob"]["id"]
    assert (found["admin"]["is_admin"], found["robot"]["is_admin"]) == (True, False)
    with closing(copies.connect(release)) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO users (username) VALUES ('new') RETURNING id")
        assert cursor.fetchone() == (1 + max(row["id"] for row in found.values()),)


def test_accounts_need_a_release_that_has_them(release: Env, old: Path, tmp_path: Path) -> None:
    file = tmp_path / "basic_auth.db"
    AccountStore().init_db(f"sqlite:///{file}")
    with pytest.raises(OpsError, match=r"the release has no accounts; set auth\.mode: basic"):
        copied(release, old, tmp_path, accounts=file)


def test_a_postgresql_is_copied_too(
    release: Env, old: Path, tmp_path: Path, ready_database: Callable[[], Env]
) -> None:
    """The release of a laptop's MLflow is itself a source: of another chart, by the URI in a Secret."""
    copied(release, old, tmp_path)
    other = {**release, **ready_database(), "MLFLOW_ARTIFACTS_DESTINATION": f"s3://{BUCKET}/{uuid4().hex}"}
    other["MLFLOW_KUBERNETES_COPY_SOURCE"] = (
        f"postgresql://{release['PGUSER']}:{release['PGPASSWORD']}@127.0.0.1:{release['PGPORT']}"
        f"/{release['PGDATABASE']}"
    )
    named = release["MLFLOW_ARTIFACTS_DESTINATION"]
    with copies.copying(tmp_path / "postgres", other) as orders:
        report = copy_all(orders, [], AllowedLocations((), [named]))
    assert (report["refused"], report["different"], report["artifacts"]["copied"]) == ([], [], 1)
    assert rows(other, "runs") == rows(release, "runs")


def test_a_postgresql_of_an_older_mlflow_is_refused(
    release: Env, tmp_path: Path, ready_database: Callable[[], Env]
) -> None:
    source = ready_database()
    with closing(copies.connect(source)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE alembic_version SET version_num = %s", (OLDER[0],))
    uri = f"postgresql://{source['PGUSER']}:{source['PGPASSWORD']}@127.0.0.1:{source['PGPORT']}"
    other = {**release, "MLFLOW_KUBERNETES_COPY_SOURCE": f"{uri}/{source['PGDATABASE']}"}
    wanted = pytest.raises(OpsError, match="of an older MLflow; run `mlflow db upgrade` on a copy of it")
    with copies.copying(tmp_path / "postgres", other) as orders, wanted:
        copy_all(orders, [], AllowedLocations((), []))


def test_a_release_on_sqlite_is_refused(tmp_path: Path) -> None:
    program = copies.Copy(tmp_path / "copy", {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{tmp_path}/x.db"})
    assert program.process.wait(60) == 1
    wanted = "mlflow: copy: the database of the release is not PostgreSQL; set backendStore.postgres."
    assert wanted in program.log.read_text()
