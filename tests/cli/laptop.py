"""Fills an MLflow the way years on a laptop do: everything that `mlflowops import` must carry."""

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    Metric,
    Param,
    RunTag,
)
from mlflow.pyfunc import PythonModel

# MLflow 2, whose databases tests fill too, has no logged models.
with suppress(ImportError):
    from mlflow.entities import LoggedModelInput, LoggedModelOutput

START = 1_700_000_000_000


class Echo(PythonModel):
    """A model that answers what it is asked."""

    def predict(self, context: Any, model_input: list[str], params: Any = None) -> list[str]:
        """Answer."""
        return list(model_input)


def fill(uri: str, folder: Path, name: str) -> None:
    """Write one of everything, experiments and models called `name`; `folder` is for files on their way."""
    client = MlflowClient(uri, registry_uri=uri)
    main = client.create_experiment(name, tags={"team": "fraud", "mlflow.note.content": "our **first** try"})
    parent = _parent(client, main, folder)
    _children(client, main, parent)
    _unfinished(client, main)
    _deleted(client, main, f"{name}-abandoned")
    # The registry of a database asks the MLflow of the process for logged models.
    with mlflow_of_the_process(uri):
        if hasattr(client, "create_logged_model"):
            _model(client, main, parent, folder, name)
            client.register_prompt(f"{name}-prompt", "Say {{word}}")
        _old_model(client, main, folder, f"{name}-old")


@contextmanager
def mlflow_of_the_process(uri: str) -> Iterator[None]:
    """Set MLflow's global address for a while; MLflow also writes it into the environment."""
    before = dict(os.environ)
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
        os.environ.update(before)


def many(uri: str, runs: int, name: str) -> None:
    """Write many small runs into one experiment."""
    client = MlflowClient(uri)
    experiment = client.create_experiment(name)

    def one(number: int) -> None:
        start = START + number * 1000
        run = client.create_run(experiment, start, {"number": str(number)}, f"run-{number}").info.run_id
        client.log_batch(
            run,
            [Metric("loss", 1 / (step + number + 1), start + step, step) for step in range(5)],
            [Param("seed", str(number)), Param("model", "rf")],
        )
        if number % 20 == 0:
            client.log_text(run, f"report {number}\n" * 10, "reports/report.txt")
        client.set_terminated(run, "FAILED" if number % 50 == 0 else "FINISHED", start + 500)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(runs)))


def _parent(client: MlflowClient, experiment: str, folder: Path) -> str:
    tags = {"mlflow.user": "ana", "mlflow.source.name": "train.py", "about": "a" * 32}
    run = client.create_run(experiment, START, tags, "parent").info.run_id
    points = [Metric("loss", 1 / (step + 1), START + step, step) for step in range(1500)]
    same = [Metric("constant", 1.0, START, 0)] * 3
    strange = [
        Metric("nan", math.nan, START, 0),
        Metric("inf", math.inf, START, 0),
        Metric("a/b", 2.5, START, 0),
    ]
    client.log_batch(run, points[:1000])
    client.log_batch(run, points[1000:] + strange)
    for point in same:
        client.log_batch(run, [point])
    client.log_batch(run, params=[Param(f"p{number}", "x" * 500) for number in range(100)])
    client.log_batch(
        run, params=[Param(f"q{number}", str(number)) for number in range(50)] + [Param("empty", "")]
    )
    client.log_batch(run, tags=[RunTag("último", "sí, señor"), RunTag("mlflow.note.content", f"see {run}")])
    dataset = Dataset("iris", "abc123", "code", "{}", schema="{}", profile="{}")
    client.log_inputs(run, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])
    (folder / "big.bin").write_bytes(bytes(range(256)) * 4096)
    client.log_artifact(run, str(folder / "big.bin"))
    client.log_text(run, "ñandú", "notes/día 1/text.txt")
    client.log_text(run, "", "empty.txt")
    client.set_terminated(run, "FINISHED", START + 5000)
    return str(run)


def _children(client: MlflowClient, experiment: str, parent: str) -> None:
    # The first child starts before its parent: the order of runs must not matter.
    for number in range(3):
        tags = {"mlflow.parentRunId": parent}
        run = client.create_run(experiment, START - 10 + number, tags, f"child-{number}").info.run_id
        client.log_batch(run, [Metric("f1", number / 10, START, 0)])
        client.set_terminated(run, "KILLED" if number == 2 else "FINISHED", START + 100)


def _unfinished(client: MlflowClient, experiment: str) -> None:
    client.create_run(experiment, START, {}, "still-running")
    client.update_run(client.create_run(experiment, START, {}, "scheduled").info.run_id, "SCHEDULED")


def _deleted(client: MlflowClient, experiment: str, abandoned: str) -> None:
    run = client.create_run(experiment, START, {}, "deleted").info.run_id
    client.log_text(run, "gone but restorable", "file.txt")
    client.set_terminated(run, "FINISHED", START + 1)
    client.delete_run(run)
    gone = client.create_experiment(abandoned)
    run = client.create_run(gone, START, {}, "in-a-deleted-experiment").info.run_id
    client.log_text(run, "still here", "file.txt")
    client.set_terminated(run, "FINISHED", START + 1)
    client.delete_experiment(gone)


def _model(client: MlflowClient, experiment: str, run: str, folder: Path, name: str) -> None:
    """A model of today: logged, measured, read by another run, registered, one version deleted."""
    model = client.create_logged_model(
        experiment, "echo", source_run_id=run, tags={"kind": "toy"}, params={"depth": "3"}, model_type="agent"
    )
    path = folder / "echo"
    mlflow.pyfunc.save_model(str(path), python_model=Echo(), pip_requirements=["mlflow"])
    description = (path / "MLmodel").read_text()
    (path / "MLmodel").write_text(f"{description}run_id: {run}\nmodel_id: {model.model_id}\n")
    client.log_model_artifacts(model.model_id, str(path))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run, [LoggedModelOutput(model.model_id, 7)])
    reader = client.create_run(experiment, START + 6000, {}, "evaluation").info.run_id
    client.log_inputs(reader, models=[LoggedModelInput(model.model_id)])
    client.log_batch(reader, [Metric("quality", 0.75, START, 0, model_id=model.model_id)])
    client.set_terminated(reader, "FINISHED", START + 7000)
    client.create_registered_model(name, tags={"owner": "ana"}, description="says it again")
    for number in range(4):
        tags = {"number": str(number)}
        client.create_model_version(
            name, f"models:/{model.model_id}", run, tags, description="v", model_id=model.model_id
        )
    client.delete_model_version(name, "2")
    client.transition_model_version_stage(name, "3", "Production")
    client.set_registered_model_alias(name, "champion", "3")
    client.set_registered_model_alias(name, "challenger", "4")


def _old_model(client: MlflowClient, experiment: str, folder: Path, name: str) -> None:
    """A model as MLflow 2 had it: a folder among the artifacts of its run."""
    run = client.create_run(experiment, START, {}, "mlflow-2").info
    path = folder / "old"
    mlflow.pyfunc.save_model(str(path), python_model=Echo(), pip_requirements=["mlflow"])
    client.log_artifacts(run.run_id, str(path), "model")
    client.set_terminated(run.run_id, "FINISHED", START + 9)
    client.create_registered_model(name)
    client.create_model_version(name, f"{run.artifact_uri}/model", run.run_id)
