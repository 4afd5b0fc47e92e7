"""What a release keeps, as a client reads it."""

from typing import Any

import requests
from mlflow import MlflowClient

from e2e.forward import port_forward
from e2e.upgrades.place import Place

TEXT = "notes.txt"


def write(place: Place, name: str) -> None:
    """Make an experiment of that name: a run with a metric, a param, an artifact and a model version."""
    with port_forward(place.kubeconfig, place.namespace, "service/mlflow", 80) as url:
        client = MlflowClient(url, registry_uri=url)
        run = client.create_run(client.create_experiment(name), run_name=name).info
        client.log_metric(run.run_id, "loss", 0.5)
        client.log_param(run.run_id, "rate", name)
        client.set_tag(run.run_id, "kept", name)
        client.log_text(run.run_id, name, TEXT)
        client.create_registered_model(name)
        client.create_model_version(name, f"{run.artifact_uri}/model", run.run_id)
        client.set_terminated(run.run_id)


def read(place: Place) -> dict[str, Any]:
    """Return all runs by id, all model versions, and the artifact of each run that `write` made."""
    with port_forward(place.kubeconfig, place.namespace, "service/mlflow", 80) as url:
        client = MlflowClient(url, registry_uri=url)
        experiments = [each.experiment_id for each in client.search_experiments()]
        found: dict[str, Any] = {}
        page = None
        while page is None or page.token:
            page = client.search_runs(experiments, max_results=1000, page_token=page.token if page else None)
            for run in page:
                found[run.info.run_id] = [run.info.run_name, run.info.status, run.data.to_dictionary()]
                if "kept" in run.data.tags:
                    found[f"{run.info.run_id} {TEXT}"] = _text(url, run.info.run_id)
        models = client.search_registered_models(max_results=1000)
        found |= {each.name: [(one.version, one.run_id) for one in each.latest_versions] for each in models}
        return found


def _text(url: str, run: str) -> str:
    """The artifact through the server, whose older charts offer MLflow's client the address of the store."""
    answer = requests.get(f"{url}/get-artifact", params={"run_uuid": run, "path": TEXT}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.text
