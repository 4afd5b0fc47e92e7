"""Compares two MLflows by name, with nothing of the importer: what a person would look at."""

import math
import sys
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import Experiment, Run, ViewType


def experiment(client: MlflowClient, name: str) -> Experiment:
    """Return an experiment that must be there."""
    found = client.get_experiment_by_name(name)
    assert found is not None, f"no experiment {name}"
    return found


def runs(client: MlflowClient, name: str) -> dict[str, Run]:
    """Return all runs of an experiment by their names, which must differ."""
    found = client.search_runs([experiment(client, name).experiment_id], "", ViewType.ALL, max_results=5000)
    named = {str(run.info.run_name): run for run in found}
    assert len(named) == len(found), "a run is listed twice"
    return named


def facts(client: MlflowClient, run: Run) -> dict[str, Any]:
    """Return everything of a run that does not depend on ids."""
    return {
        "status": run.info.status,
        "start": run.info.start_time,
        "end": run.info.end_time,
        "stage": run.info.lifecycle_stage,
        "params": run.data.params,
        "user": run.data.tags.get("mlflow.user"),
        "tags": {key: value for key, value in run.data.tags.items() if not key.startswith("mlflow")},
        "metrics": {key: points(client, run.info.run_id, key) for key in run.data.metrics},
        "datasets": [
            (each.dataset.name, each.dataset.digest, [(tag.key, tag.value) for tag in each.tags])
            for each in (run.inputs.dataset_inputs if run.inputs else [])
        ],
        "outputs": len(run.outputs.model_outputs) if getattr(run, "outputs", None) else 0,
    }


def points(client: MlflowClient, run: str, key: str) -> set[tuple[int, int, str]]:
    """Return the history of a metric. Databases of MLflow hold infinity as the largest float."""
    largest = sys.float_info.max
    return {
        (each.timestamp, each.step, "nan" if math.isnan(each.value) else repr(min(largest, each.value)))
        for each in client.get_metric_history(run, key)
    }


def files(client: MlflowClient, run: Run, folder: Path) -> dict[str, bytes]:
    """Download the artifacts of a run."""
    place = folder / run.info.run_id
    place.mkdir(parents=True, exist_ok=True)
    download_artifacts(
        artifact_uri=run.info.artifact_uri, dst_path=str(place), tracking_uri=client.tracking_uri
    )
    return {
        path.relative_to(place).as_posix().removeprefix("artifacts/"): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file()
    }
