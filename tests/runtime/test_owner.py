"""Two releases on one database, by mistake: only the first one's retention and restores work in it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.backups import Pod
from runtime.postgres import Postgres
from runtime.s3 import S3
from runtime.server import environment, run
from runtime.tasks import RETENTION, Env, Store, run_task

FIRST = {"MLFLOW_KUBERNETES_RELEASE": "ml/mlflow", "MLFLOW_ARTIFACTS_DESTINATION": "s3://mlflow/first"}
# The same name in another cluster, and another name with the same artifacts.
OTHERS = [
    {"MLFLOW_ARTIFACTS_DESTINATION": "s3://mlflow/second"},
    {"MLFLOW_KUBERNETES_RELEASE": "try/mlflow"},
]
BELONGS = "the database belongs to ml/mlflow with artifacts in s3://mlflow/first"


@pytest.fixture
def store(postgres: Postgres, s3: S3, ready_database: Callable[[], Env]) -> Store:
    filled = Store(postgres, s3, {**ready_database(), **s3.environment("plain"), **FIRST})
    filled.query("INSERT INTO experiments VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active')")
    return filled


def start(home: Path, env: Env) -> str:
    """A pod of a release starts; what its migration logs."""
    step = run("schema", environment(home, **env))
    output, _ = step.communicate(timeout=300)
    assert step.returncode == 0, output
    return str(output)


def owner(store: Store) -> list[tuple[str]]:
    return store.query("SELECT release FROM mlflow_kubernetes.owner")


def retention(store: Store, home: Path, code: int = 0, **env: str) -> str:
    return run_task("retention", home, {**store.env, **env}, *RETENTION, code=code)


@pytest.mark.parametrize("other", OTHERS, ids=["artifacts", "name"])
def test_the_retention_of_a_second_release_removes_nothing(store: Store, home: Path, other: Env) -> None:
    assert "belongs" not in start(home, store.env)
    assert BELONGS in start(home, {**store.env, **other}), "it serves, and says so"
    old, trash = store.runs(2, ended=91), store.runs(2, ended=99, deleted=8)
    log = retention(store, home, code=1, **other)
    assert BELONGS in log and "docs/databases.md#one-release" in log and "Traceback" not in log
    assert store.left() == {**dict.fromkeys(old, "active"), **dict.fromkeys(trash, "deleted")}
    assert BELONGS in store.task("retention")["error"]
    retention(store, home)
    assert store.left() == dict.fromkeys(old, "deleted")


def test_a_release_takes_over(store: Store, home: Path) -> None:
    """By the statement of docs/databases.md."""
    start(home, store.env)
    store.query("DELETE FROM mlflow_kubernetes.owner")
    retention(store, home, **OTHERS[1])
    assert owner(store) == [("try/mlflow with artifacts in s3://mlflow/first",)]
    assert "the database belongs to try/mlflow" in retention(store, home, code=1)


def test_a_restore_of_a_second_release_changes_nothing(store: Store, home: Path) -> None:
    start(home, store.env)
    store.runs(2)
    pod = Pod(store, home)
    pod.backup()
    store.runs(1)
    before = pod.content()
    assert BELONGS in pod.restore(code=1, **OTHERS[0])
    assert pod.content() == before
    pod.restore()
    assert len(store.left()) == 2 and owner(store) == [(BELONGS.removeprefix("the database belongs to "),)]


def test_five_pods_claim_at_once(store: Store, home: Path) -> None:
    pods = [run("schema", environment(home, **store.env)) for _ in range(5)]
    outputs = [pod.communicate(timeout=300)[0] for pod in pods]
    assert [pod.returncode for pod in pods] == [0] * 5 and "belongs" not in "".join(outputs)
    assert len(owner(store)) == 1


@pytest.mark.parametrize("read_only", [True, False], ids=["read-only", "no-right"])
def test_a_role_that_may_not_write_serves(store: Store, home: Path, read_only: bool) -> None:
    name, role = store.env["PGDATABASE"], store.env["PGUSER"]
    if read_only:
        store.query(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    else:
        store.query(f'ALTER DATABASE "{name}" OWNER TO postgres')
        store.query(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{role}"')
    said = start(home, store.env)
    assert "Traceback" not in said
    assert store.query("SELECT to_regnamespace('mlflow_kubernetes')") == [(None,)]
