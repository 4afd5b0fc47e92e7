"""Run by an older MLflow: its server fills a database, and its client writes down what it then reads."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import requests
from cli import compare, laptop
from mlflow import MlflowClient
from mlflow.entities import ViewType

from runtime.network import free_port

NAME = "old"
# Of every account.
PASSWORD = "a password of long ago"
INI = """[mlflow]
default_permission = READ
database_uri = {database}
admin_username = admin
admin_password = {password}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""


def main(database: str, folder: Path) -> None:
    """Leave `facts.json` in the folder, among others."""
    stores = ["--backend-store-uri", database, "--artifacts-destination", str(folder / "artifacts")]
    with server(*stores) as place:
        with laptop.mlflow_of_the_process(place):  # MLflow 2 opens artifacts by that address only
            laptop.fill(place, folder, NAME)
        promote(place)
        (folder / "facts.json").write_text(json.dumps(facts(place), indent=1))
    if mlflow.__version__.startswith("3.10."):  # no roles yet, and accounts may share the database
        ini = folder / "basic_auth.ini"
        ini.write_text(INI.format(database=database, password=PASSWORD))
        os.environ |= {"MLFLOW_AUTH_CONFIG_PATH": str(ini), "MLFLOW_FLASK_SERVER_SECRET_KEY": PASSWORD}
        os.environ |= {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": PASSWORD}
        with server(*stores, "--app-name", "basic-auth") as place:
            accounts(place)


@contextlib.contextmanager
def server(*options: str) -> Iterator[str]:
    """The address of a server of this MLflow."""
    place = f"http://127.0.0.1:{(port := free_port())}"
    words = ["server", *options, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    # MLflow 2 has gunicorn, which ends a worker after 30 s that a busy machine needs.
    busy = {"GUNICORN_CMD_ARGS": "--timeout 600"}
    command = [sys.executable, "-m", "mlflow", *words]
    process = subprocess.Popen(command, env={**os.environ, **busy}, start_new_session=True)
    try:
        wait_for(process, place)
        yield place
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)  # MLflow 2 leaves gunicorn behind
        process.wait(600)


def promote(place: str) -> None:
    """A stage and an alias for the model that a run logged, which is all that MLflow 2 has."""
    client = MlflowClient(place, registry_uri=place)
    client.transition_model_version_stage(f"{NAME}-old", "1", "Production")
    client.set_registered_model_alias(f"{NAME}-old", "champion", "1")


def accounts(place: str) -> None:
    """Who may change the experiment, who the model, and who was not to see the experiment."""
    from mlflow.server.auth.client import AuthServiceClient  # not in every package of an older MLflow

    client: Any = AuthServiceClient(place)
    for user in ("anna", "bert", "carl"):
        client.create_user(user, PASSWORD)
    experiment = compare.experiment(MlflowClient(place), NAME).experiment_id
    client.create_experiment_permission(experiment, "anna", "EDIT")
    client.create_registered_model_permission(NAME, "bert", "EDIT")
    client.create_experiment_permission(experiment, "carl", "NO_PERMISSIONS")


def wait_for(server: subprocess.Popen[bytes], place: str) -> None:
    """An empty database takes an old server a while."""
    while server.poll() is None:
        try:
            return requests.get(f"{place}/health", timeout=5).raise_for_status()
        except requests.RequestException:
            time.sleep(0.1)
    raise SystemExit("the old server ended before it answered")


def facts(place: str) -> dict[str, Any]:
    """All that was filled in, ids too, in what JSON has."""
    client = MlflowClient(place, registry_uri=place)
    experiments = client.search_experiments(ViewType.ALL)
    found = {
        "experiments": sorted([each.name, each.experiment_id, each.lifecycle_stage] for each in experiments),
        "runs": {
            name: [run.info.run_id, run.info.artifact_uri, run.data.metrics, compare.facts(client, run)]
            for name, run in sorted(compare.runs(client, NAME).items())
        },
        "versions": sorted(version(each) for each in client.search_model_versions()),
        "aliases": {each.name: aliases(each) for each in client.search_registered_models()},
        **logged(client),
    }
    # JSON has no tuples, sets, or NaN that is equal to itself.
    return json.loads(json.dumps(found, default=sorted), parse_constant=str)


def logged(client: MlflowClient) -> dict[str, Any]:
    """Logged models and the prompt; nothing in the database of an MLflow 2."""
    models = getattr(client, "search_logged_models", lambda _: [])
    found = [
        [each.model_id, each.name, str(each.status), each.source_run_id, each.tags, each.params]
        for each in models([compare.experiment(client, NAME).experiment_id])
    ]
    return {"logged": found, "prompt": client.load_prompt(f"{NAME}-prompt", 1).template} if found else {}


def aliases(model: Any) -> dict[str, str]:
    """Versions by alias; a database has them as numbers, a server as text."""
    return {alias: str(version) for alias, version in model.aliases.items()}


def version(each: Any) -> list[Any]:
    """A model version, without its aliases."""
    return [
        each.name,
        str(each.version),
        each.source,
        each.run_id,
        each.current_stage,
        each.status,
        each.tags,
    ]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
