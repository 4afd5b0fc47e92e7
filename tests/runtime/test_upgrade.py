"""Databases that servers of older releases made and filled: after the migration all of it is there."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from cli import compare, laptop
from mlflow import MlflowClient

from runtime import old_release
from runtime.basic_auth import FLASK_KEY
from runtime.mariadb import MariaDB, silent
from runtime.postgres import Postgres
from runtime.releases import Release
from runtime.server import Server, environment, run

MODEL = f"{old_release.NAME}-old"
Restored = Callable[[str], tuple[Release, dict[str, str]]]


@pytest.fixture
def restored(postgres: Postgres, database: Callable[[], dict[str, str]], home: Path) -> Restored:
    """Gives a database as that release left it."""

    def restore(version: str) -> tuple[Release, dict[str, str]]:
        release, where = Release(version, postgres), database()
        if not release.folder.exists():
            release.make(database(), home)
        release.restore(where)
        return release, where

    return restore


def migrate(home: Path, where: dict[str, str]) -> str:
    step = run("schema", environment(home, **where))
    output, _ = step.communicate(timeout=300)
    assert (step.returncode, "the database is migrated" in output) == (0, True), output
    return output


NIGHTLY = [pytest.param(each, marks=pytest.mark.nightly) for each in ("2.22.2", "3.3.2", "3.6.0", "3.9.0")]


@pytest.mark.parametrize("version", [*NIGHTLY, "3.10.1", "3.14.0", "3.16.1"])
def test_all_of_an_older_database_is_there(restored: Restored, home: Path, version: str) -> None:
    release, where = restored(version)
    migrate(home, where)
    account, place = f"{where['PGUSER']}:{where['PGPASSWORD']}", f"{where['PGHOST']}:{where['PGPORT']}"
    store = f"postgresql+psycopg2://{account}@{place}/{where['PGDATABASE']}"
    expected = release.facts
    if version == "3.3.2":  # its search of runs leaves out the models that they made
        expected["runs"]["parent"][3]["outputs"] = 1
    with laptop.mlflow_of_the_process(store):
        assert old_release.facts(store) == expected
        client = MlflowClient(store)
        experiment = compare.experiment(client, old_release.NAME).experiment_id
        run_id = client.create_run(experiment, run_name="new").info.run_id
        number, source = client.get_model_version_by_alias(MODEL, "champion").version, f"runs:/{run_id}/model"
        assert client.create_model_version(MODEL, source, run_id).version == int(number) + 1
        for logged in client.search_logged_models([experiment]):
            assert client.create_model_version(old_release.NAME, logged.model_uri, run_id).version == 5


def test_an_old_pod_serves_while_new_ones_start(
    restored: Restored, start: Callable[..., Server], home: Path
) -> None:
    release, where = restored("3.16.1")
    server = start(**where, **release.environment).ready()
    migrate(home, where)
    assert old_release.facts(server.url) == release.facts
    client = MlflowClient(server.url)
    run_id = client.create_run(client.create_experiment("new")).info.run_id
    client.log_metric(run_id, "loss", 0.5)
    assert client.get_run(run_id).data.metrics == {"loss": 0.5}


def test_accounts_of_an_older_basic_auth(
    restored: Restored, start: Callable[..., Server], home: Path
) -> None:
    """Made by MLflow 3.10, which had a table of permissions for each kind of thing, and no roles."""
    _, where = restored("3.10.1")
    env = {
        **where,
        "MLFLOW_KUBERNETES_APP_NAME": "basic-auth",
        "MLFLOW_FLASK_SERVER_SECRET_KEY": FLASK_KEY,
    }
    admin = {
        "MLFLOW_AUTH_ADMIN_USERNAME": "admin",
        "MLFLOW_AUTH_ADMIN_PASSWORD": "the password of the Secret",
    }
    migrate(home, env)
    server = start(**env, **admin).ready()

    def answers(method: str, path: str, **body: str) -> dict[str, int]:
        url, them = f"{server.url}/api/2.0/mlflow/{path}", ("anna", "bert", "carl", "admin", "nobody")
        return {
            who: requests.request(
                method, url, json=body, auth=(who, old_release.PASSWORD), timeout=60
            ).status_code
            for who in them
        }

    strangers = {"admin": 401, "nobody": 401}
    number = requests.get(
        f"{server.url}/api/2.0/mlflow/experiments/get-by-name?experiment_name={old_release.NAME}",
        auth=tuple(admin.values()), timeout=60,
    ).json()["experiment"]["experiment_id"]  # fmt: skip
    assert answers("GET", f"experiments/get?experiment_id={number}") == {
        **dict.fromkeys(("anna", "bert", "carl"), 200), **strangers,
    }  # fmt: skip
    tag = {"experiment_id": number, "key": "by", "value": "a test"}
    assert answers("POST", "experiments/set-experiment-tag", **tag) == {
        "anna": 200, "bert": 403, "carl": 403, **strangers,
    }  # fmt: skip
    tag = {"name": old_release.NAME, "key": "by", "value": "a test"}
    assert answers("POST", "registered-models/set-tag", **tag) == {
        "anna": 403, "bert": 200, "carl": 403, **strangers,
    }  # fmt: skip


def test_the_way_back_over_a_migration(
    restored: Restored, start: Callable[..., Server], home: Path, database: Callable[[], dict[str, str]]
) -> None:
    """The old image refuses the new schema before its server starts; on the backup it goes on as before."""
    release, where = restored("3.16.1")
    migrate(home, where)
    code, output = step(home, where, release)
    assert code == 1 and "which MLflow 3.16.1 does not know; run the image version that made it" in output
    assert "Traceback" not in output
    release.restore(backup := database())
    code, output = step(home, backup, release)
    assert code == 0 and "the database is up to date" in output
    server = start(**backup, **release.environment).ready()
    assert old_release.facts(server.url) == release.facts


def step(home: Path, where: dict[str, str], release: Release) -> tuple[int, str]:
    """Run the migration in the image of an older MLflow: exit code and log."""
    process = run("schema", environment(home, **where, **release.environment))
    output, _ = process.communicate(timeout=300)
    return process.returncode, output


WITHOUT_ACCOUNTS = """
import json, sys
from pathlib import Path
from cli import laptop
from runtime import old_release

uri, home = sys.argv[1], Path(sys.argv[2])
stores = ["--backend-store-uri", uri, "--artifacts-destination", str(home / "artifacts")]
with old_release.server(*stores) as place:
    laptop.fill(place, home, old_release.NAME)
    (home / "facts.json").write_text(json.dumps(old_release.facts(place)))
"""


def test_all_of_an_older_mariadb_is_there(
    postgres: Postgres, mariadb: MariaDB, start: Callable[..., Server], home: Path
) -> None:
    """For a server that goes on with it; the password is in no log and no command line of ours."""
    where, old = mariadb.database("old"), Release("3.10.1", postgres).environment
    make = [sys.executable, "-c", WITHOUT_ACCOUNTS, where["MLFLOW_BACKEND_STORE_URI"], home]
    subprocess.run(make, check=True, cwd=home, env=environment(home, **old))
    said = migrate(home, where)
    server = start(**where).ready()
    assert old_release.facts(server.url) == json.loads((home / "facts.json").read_text())
    client = MlflowClient(server.url)
    run_id = client.create_run(client.create_experiment("new")).info.run_id
    client.log_metric(run_id, "loss", 0.5)
    assert client.get_run(run_id).data.metrics == {"loss": 0.5}
    arguments = [Path(f"/proc/{pid}/cmdline").read_text() for pid in (server.process.pid, *server.workers())]
    assert server.stop() == 0
    assert silent(said + server.log.read_text() + "".join(arguments))
