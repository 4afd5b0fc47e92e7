"""Logs the model in a file, and registers it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflowops.errors import OpsError

if TYPE_CHECKING:
    from mlflow import MlflowClient


def register(client: "MlflowClient", run: str, path: Path, name: str) -> str | None:
    """Log the model of a file or MLflow model folder to the run; return its version if it has a name."""
    try:
        return _folder(client, run, path, name) if path.is_dir() else _pickle(client, run, path, name)
    except Exception as error:
        client.set_terminated(run, "FAILED")
        wrong = f"not stored in run {run}: {str(error).splitlines()[0]}"
        raise OpsError(
            f"--model {path}", wrong, "log it in the training with log_model", exit_code=1
        ) from error


def _folder(client: "MlflowClient", run: str, path: Path, name: str) -> str | None:
    """A folder that `save_model` wrote: any flavour."""
    from mlflow.entities import LoggedModelOutput

    if not (path / "MLmodel").is_file():
        raise ValueError("the folder holds no file MLmodel")
    experiment = client.get_run(run).info.experiment_id
    model = client.create_logged_model(experiment, "model", source_run_id=run).model_id
    client.log_model_artifacts(model, str(path))
    client.finalize_logged_model(model, "READY")
    client.log_outputs(run, [LoggedModelOutput(model, 0)])
    if not name:
        return None
    _ensure_registered(client, name)
    return str(client.create_model_version(name, f"models:/{model}", run, model_id=model).version)


def _pickle(client: "MlflowClient", run: str, path: Path, name: str) -> str | None:
    """A scikit-learn model on its own, or under the key `pipeline` of a dict."""
    import joblib  # comes with scikit-learn
    import mlflow.sklearn
    from sklearn.base import BaseEstimator

    content: Any = joblib.load(path)
    model = content.get("pipeline") if isinstance(content, dict) else content
    if not isinstance(model, BaseEstimator):
        raise ValueError(f"holds a {type(content).__name__}, not a scikit-learn model")
    mlflow.set_tracking_uri(client.tracking_uri)
    with mlflow.start_run(run_id=run):
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            # Who gave a pickle trusts it: skops would ask for every class of the model by name.
            serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_CLOUDPICKLE,
            registered_model_name=name or None,
        )
    return str(logged.registered_model_version) if name else None


def _ensure_registered(client: "MlflowClient", name: str) -> None:
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
