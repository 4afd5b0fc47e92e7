"""`helm test`: what a data scientist does first, through the Service's name; then all of it is removed."""

import os
import tempfile
import uuid
from pathlib import Path

import requests
from mlflow import MlflowClient
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

EXPERIMENT = "helm-test"  # one for all tests: a deleted experiment keeps its name until it is purged


def experiment_id(client: MlflowClient) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        return client.create_experiment(EXPERIMENT)
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return found.experiment_id


def expect(what: str, found: object, written: object) -> None:
    if found != written:
        raise SystemExit(f"mlflow: helm test: {what} read back is {found!r} instead of {written!r}")


def track(client: MlflowClient, run_id: str, text: str) -> None:
    client.log_param(run_id, "answer", 42)
    client.log_metric(run_id, "accuracy", 0.5)
    client.log_text(run_id, text, "model/note.txt")
    client.set_terminated(run_id)


def read_back(client: MlflowClient, run_id: str, text: str) -> None:
    run = client.get_run(run_id)
    expect("status", run.info.status, "FINISHED")
    expect("params", run.data.params, {"answer": "42"})
    expect("metrics", run.data.metrics, {"accuracy": 0.5})
    with tempfile.TemporaryDirectory() as folder:
        note = Path(client.download_artifacts(run_id, "model/note.txt", folder))
        expect("artifact", note.read_text(), text)


def register(client: MlflowClient, run_id: str, model: str) -> None:
    client.create_registered_model(model)
    client.create_model_version(model, f"runs:/{run_id}/model", run_id)
    expect("model version", client.get_model_version(model, "1").run_id, run_id)


def needs_token() -> bool:
    """With a login elsewhere the test has no account of its own, unless test.env has a token."""
    own = os.environ.keys() & {"MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME"}
    return os.environ.get("MLFLOW_KUBERNETES_APP_NAME") in ("oidc-auth", "kubernetes-auth") and not own


def expect_login() -> None:
    server = os.environ["MLFLOW_TRACKING_URI"]
    expect("health", requests.get(f"{server}/health", timeout=60).status_code, 200)
    answer = requests.get(f"{server}/api/2.0/mlflow/experiments/get?experiment_id=0", timeout=60)
    expect("an answer without a token", answer.status_code, 401)
    print("The server answers and asks for a login; with a token in test.env this test would track a run.")


def main() -> None:
    if needs_token():
        expect_login()
        return
    client, text = MlflowClient(), uuid.uuid4().hex
    model = f"{EXPERIMENT}-{text}"
    experiment = experiment_id(client)
    run = client.create_run(experiment)
    try:
        track(client, run.info.run_id, text)
        read_back(client, run.info.run_id, text)
        register(client, run.info.run_id, model)
        print("A run, its artifact and a model version were written and read back.")
    finally:
        for registered in client.search_registered_models(f"name = '{model}'"):
            client.delete_registered_model(registered.name)
        get_artifact_repository(run.info.artifact_uri).delete_artifacts()
        client.delete_run(run.info.run_id)
        client.delete_experiment(experiment)


main()
