"""Makes registered models for tests: versions with metrics, without training anything."""

from uuid import uuid4

from mlflow import MlflowClient
from mlflow.entities import Metric


def add_version(client: MlflowClient, model: str, **metrics: float) -> str:
    """Register a version whose run holds the metrics; return its number."""
    run = client.create_run("0").info.run_id
    client.log_batch(run, [Metric(key, value, 0, 0) for key, value in metrics.items()])
    return str(client.create_model_version(model, f"runs:/{run}/model", run).version)


def new_model(client: MlflowClient, *versions: dict[str, float]) -> str:
    """Register a model of a new name with the given versions."""
    name = f"model-{uuid4().hex[:8]}"
    client.create_registered_model(name)
    for metrics in versions:
        add_version(client, name, **metrics)
    return name


def champion(client: MlflowClient, model: str, alias: str = "champion") -> str | None:
    """Return the version that has the alias."""
    version = client.get_registered_model(model).aliases.get(alias)
    return str(version) if version is not None else None
