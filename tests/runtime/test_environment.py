"""What `mlflow.envFrom` may bring: no program runs beside a second database, or asks another server."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.server import FILES, PACKAGE, environment

PROGRAMS = re.findall(r'(?m)^    "(\w+)": "\w+\.', (PACKAGE / "__main__.py").read_text())
SPLITS = ["MLFLOW_REGISTRY_STORE_URI", "MLFLOW_WORKSPACE_STORE_URI", "MLFLOW_ARTIFACTS_ONLY"]


def start(program: str, home: Path, **env: str) -> tuple[int, str]:
    command = [sys.executable, str(PACKAGE), program]
    done = subprocess.run(
        command, env=environment(home, **env), capture_output=True, text=True, cwd=home, timeout=60
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("variable", SPLITS)
def test_no_program_runs_beside_a_second_database(home: Path, program: str, variable: str) -> None:
    """Retention would purge the runs of models that it does not see."""
    secret = "postgresql://registry:hunter2@elsewhere/registry"
    code, log = start(program, home, **{variable: "true" if variable.endswith("ONLY") else secret})
    assert code == 1
    assert re.fullmatch(rf"mlflow: {program}: {variable}: it [^;]+; remove it[^;]*\.", log.strip())
    assert "hunter2" not in log


def test_every_program_is_tried() -> None:
    assert {"server", "upstream", "retention", "backup", "restore", "schema"} < set(PROGRAMS)


def test_what_is_for_clients_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ConfigMap that training jobs share has it. What MLflow sets for its own web server stays."""
    monkeypatch.syspath_prepend(FILES)
    from mlflow_kubernetes.environment import check_environment

    clients = {"MLFLOW_TRACKING_URI": "http://mlflow", "MLFLOW_REGISTRY_URI": "http://mlflow"}
    empty = dict.fromkeys(SPLITS, "") | {"MLFLOW_ARTIFACTS_ONLY": "false"}
    env = {**clients, **empty}
    check_environment("jobs", env)
    assert env == empty
    env = dict(clients)
    check_environment("upstream", env)
    assert env == clients
