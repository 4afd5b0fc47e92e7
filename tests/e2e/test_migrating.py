"""docs/migrating.md, walked from a release of each chart: what was there before is there afterwards."""

import re
import secrets
from pathlib import Path
from typing import Any

import mlflow
import pytest
from cli import compare, laptop
from mlflow import MlflowClient

from e2e.forward import port_forward
from e2e.helm import OUR_IMAGE
from e2e.kube import Kube, eventually
from e2e.peers import ADMIN, PAGE, Old
from e2e.stores import Database, s3_client
from e2e.test_release import THROUGH_THE_SERVER
from e2e.up import run

NAME = "before"
# Steps 1, 3, 4 and 5 of the page; in front of the fourth stand the Secrets that the first asks for.
STEPS = PAGE.partition("\n## ")[0]
TRANSLATE, SCALE, INSTALL, HEALTH = re.findall(r"(?m)^ {4}((?:mlflowops|kubectl|helm) .*)$", STEPS)
IMAGE = " ".join(f"--set image.{key}={value}" for key, value in OUR_IMAGE.items())


def kept(url: str, folder: Path) -> dict[str, Any]:
    """All that was written: ids, what runs say, bytes of artifacts, models with their aliases, prompts."""
    client = MlflowClient(url)
    runs = compare.runs(client, NAME)
    with laptop.mlflow_of_the_process(url):
        model = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")
    return {
        "experiment": compare.experiment(client, NAME).experiment_id,
        "runs": {name: [run.info.run_id, compare.facts(client, run)] for name, run in runs.items()},
        "files": compare.files(client, runs["parent"], folder / secrets.token_hex(4)),
        "models": [str(client.get_registered_model(name)) for name in (NAME, f"{NAME}-old")],
        "prompt": client.get_prompt_version(f"{NAME}-prompt", 1).template,
        "answer": model.predict(["hello"]),
    }


@pytest.fixture
def old(request: pytest.FixtureRequest, kube: Kube, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Old:
    """A release of another chart, on a database and in a bucket of its own."""
    account = {f"MLFLOW_TRACKING_{key.upper()}": value for key, value in ADMIN.items()}
    for name, value in {**THROUGH_THE_SERVER, **account}.items():
        monkeypatch.setenv(name, value)
    token = secrets.token_hex(4)
    database = Database.create(kube, f"moved_{token}", secrets.token_hex(12))
    s3_client(kube).create_bucket(Bucket=f"moved-{token}")
    made = Old(request.param, kube, namespace, database, f"moved-{token}")
    made.install()
    return made


@pytest.mark.parametrize("old", ["official", "community", "bitnami"], indirect=True)
def test_the_guide(kube: Kube, kubeconfig: Path, old: Old, tmp_path: Path) -> None:
    """Each command as the page has it, with names for its placeholders."""
    kube.wait_ready(old.namespace, 1, selector="app.kubernetes.io/instance=old")
    with port_forward(kubeconfig, old.namespace, f"service/{old.name}", _port(kube, old)) as url:
        (tmp_path / "models").mkdir()
        laptop.fill(url, tmp_path / "models", NAME)
        before = kept(url, tmp_path)
    assert before["answer"] == ["hello"] and len(before["files"]) == 3
    (tmp_path / "old.yaml").write_text(old.values())
    _type(TRANSLATE.replace("community", old.peer), old, kubeconfig, tmp_path)
    _type(SCALE, old, kubeconfig, tmp_path)
    eventually(
        lambda: not kube.pods(old.namespace, "app.kubernetes.io/instance=old"), 90, "the end of the old"
    )
    for command in _secrets(tmp_path / "values-mlflow.yaml"):
        _type(command, old, kubeconfig, tmp_path)
    _type(f"{INSTALL} {IMAGE}", old, kubeconfig, tmp_path)
    kube.wait_ready(old.namespace, 1)
    eventually(lambda: _type(HEALTH, old, kubeconfig, tmp_path, check=False) == 0, 60, "no red line", every=3)
    old.uninstall()
    with port_forward(kubeconfig, old.namespace, "service/mlflow", 5000) as url:
        assert kept(url, tmp_path) == before
    assert kube.restarts(old.namespace) == 0


def _port(kube: Kube, old: Old) -> int:
    [port] = kube.core.read_namespaced_service(old.name, old.namespace).spec.ports
    return int(port.port)


def _secrets(file: Path) -> list[str]:
    """The commands in the head of the new values; no placeholder is a password that the test lacks."""
    commands = re.findall("(?m)^# Create the Secret: (.*)$", file.read_text())
    assert all("<" not in each.replace("<namespace>", "") for each in commands), commands
    return commands


def _type(command: str, old: Old, kubeconfig: Path, folder: Path, check: bool = True) -> int:
    for placeholder, value in (
        ("<namespace>", old.namespace),
        ("<old deployment>", old.name),
        ("old.yaml", str(folder / "old.yaml")),
        ("values-mlflow.yaml", str(folder / "values-mlflow.yaml")),
    ):
        command = command.replace(placeholder, value)
    done = run(command, kubeconfig, check=check)
    print(done.stdout)
    return done.returncode
