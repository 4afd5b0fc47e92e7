"""The Airflow example runs for real: `airflow dags test` against MLflow by the name that DAGs use."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from e2e.forward import port_forward
from e2e.inside import run_inside
from e2e.kube import Kube
from testbed import paths

EXAMPLE = paths.REPO / "examples/airflow"
LOCK = EXAMPLE / "requirements.lock"
RUN = "2026-05-04T06:00:00+00:00"
Dag = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def airflow() -> Path:
    """The `airflow` command in an environment of exactly the locked packages, made once for each lock."""
    key = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = paths.cache("airflow") / key
    with (paths.cache("airflow") / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            uv = Path(sys.executable).parent / "uv"
            subprocess.run([uv, "venv", "-q", "--python", sys.executable, folder], check=True)
            install = [uv, "pip", "install", "-q", "--compile-bytecode", "--require-hashes", "-r", LOCK]
            subprocess.run([*install, "--python", folder / "bin/python"], check=True)
            (folder / "complete").touch()
    return folder / "bin/airflow"


@pytest.fixture(scope="module")
def dag(kube: Kube, airflow: Path, tmp_path_factory: pytest.TempPathFactory) -> Dag:
    """Runs the DAG once, as its author does; no MLFLOW_TRACKING_URI is set."""
    home = tmp_path_factory.mktemp("airflow")
    env = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(EXAMPLE),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "DO_NOT_TRACK": "true",
    }

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        # MLflow also hands out addresses of the object store, for large files.
        services = {
            f"{name}.ml.svc.cluster.local": kube.services.get("ml", name) for name in ("mlflow", "seaweedfs")
        }
        return run_inside([airflow, *words], env, hosts=services)

    migrated = run("db", "migrate")
    assert migrated.returncode == 0, migrated.stderr[-3000:]
    return run


@pytest.fixture(scope="module")
def server(kubeconfig: Path) -> Iterator[MlflowClient]:
    with port_forward(kubeconfig, "ml", "service/mlflow", 5000) as url:
        yield MlflowClient(url, registry_uri=url)


def test_the_dag_trains_and_registers(dag: Dag, server: MlflowClient) -> None:
    done = dag("dags", "test", "mlflow_training", RUN)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    version = server.get_model_version_by_alias("iris-airflow", "champion")
    run = server.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"n_estimators": "20"}
    assert run.data.metrics["accuracy"] > 0.9
    assert run.data.tags["airflow.dag_run"].startswith("manual__")
    assert server.get_experiment(run.info.experiment_id).name == "airflow-mlflow_training"


def test_a_weak_model_fails_the_dag_and_stays_unregistered(dag: Dag, server: MlflowClient) -> None:
    """Its run is in MLflow, and the champion is still the model of the DAG run before."""
    dag_run = "2026-05-05T06:00:00+00:00"
    before = server.get_model_version_by_alias("iris-airflow", "champion")
    done = dag("dags", "test", "mlflow_training", dag_run, "--conf", '{"threshold": 1.1}')
    assert done.returncode != 0
    assert "is below 1.1" in done.stdout + done.stderr
    newest = server.search_runs([server.get_run(before.run_id).info.experiment_id], max_results=1)[0]
    assert newest.info.run_id != before.run_id and newest.data.metrics["accuracy"] > 0.9
    versions = server.search_model_versions("name='iris-airflow'")
    assert newest.info.run_id not in {each.run_id for each in versions}
    assert server.get_model_version_by_alias("iris-airflow", "champion").version == before.version
