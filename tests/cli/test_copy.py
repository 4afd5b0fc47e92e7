"""`mlflowops copy` before its pod answers: its words, and its Job."""

import sqlite3
from pathlib import Path

import pytest

from cli.cli import Cli
from cli.kubernetes_api import FakeApi

DEPLOYMENTS = "/apis/apps/v1/namespaces/ml/deployments/mlflow"
JOBS = "/apis/batch/v1/namespaces/ml/jobs"
PODS = "/api/v1/namespaces/ml/pods"
COMMAND = ["/bin/sh", "init.sh", "python", "mlflow_kubernetes", "server"]
DEPLOYMENT = {
    "metadata": {"name": "mlflow", "uid": "u1"},
    "spec": {
        "template": {
            "metadata": {"labels": {"app": "mlflow"}},
            "spec": {"containers": [{"name": "mlflow", "command": COMMAND}]},
        }
    },
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A SQLite file that looks like MLflow's."""
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        database.execute("CREATE TABLE experiments (i INTEGER)")
    database.close()
    return tmp_path / "mlflow.db"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent.db"], "absent.db: no such file or folder; give ./mlruns, sqlite:///mlflow.db"),
        (["{folder}/mlruns"], "not a SQLite file; use `mlflowops import` for a file store."),
        (["secret/old"], "SOURCE secret/old: names no key of a Secret; give secret/NAME/KEY, for example"),
        (["{source}", "--artifacts", "absent"], "--artifacts absent: no such folder;"),
        (["{source}", "--accounts", "{source}"], "not a database of MLflow;"),
    ],
)
def test_wrong_words_are_one_sentence(
    cli: Cli, source: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    (tmp_path / "mlruns" / "0").mkdir(parents=True)
    answer = cli("copy", *[word.format(folder=tmp_path, source=source) for word in words])
    assert answer.code == 2
    assert message in answer.err


def test_no_release_is_one_sentence(cli: Cli, api: FakeApi, source: Path) -> None:
    answer = cli("copy", source)
    assert (answer.code, api.writes) == (2, [])
    assert "copy into mlflow in namespace 'ml': the Kubernetes API answers 404" in answer.err


def test_a_job_that_fails_says_why(cli: Cli, api: FakeApi, source: Path) -> None:
    failed = {"metadata": {"name": "pod"}, "status": {"phase": "Failed"}}
    api.answers |= {DEPLOYMENTS: DEPLOYMENT, PODS: {"items": [failed]}}
    api.answers[f"{PODS}/pod/log"] = "one\nmlflow: copy: the database of the release is not PostgreSQL.\n"
    answer = cli("copy", source)
    assert answer.code == 1
    assert (
        "mlflow: copy: the database of the release is not PostgreSQL; `kubectl logs -n ml job/" in answer.err
    )
    ((method, path, job),) = api.writes
    assert (method, path) == ("POST", JOBS)
    assert job["spec"]["template"]["spec"]["containers"][0]["command"][:-2] == [*COMMAND[:-1], "copy"]
