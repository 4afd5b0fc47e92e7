"""Checks that the server writes, reads and deletes artifacts.

The check has an experiment and a run of its own and uses them again and again, so nothing grows. That the run
can be updated proves that the database takes writes.
"""

import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import requests

from mlflowops.health.check import Check, green, red, unknown
from mlflowops.health.client import ServerClient

EXPERIMENT = "_mlflowops-health"
API = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
PROXIED = "mlflow-artifacts"


def round_trip(server: ServerClient) -> Check:
    """Check that an artifact can be written through the server, read back and deleted."""
    uri = urlsplit(_check_run(server)["artifact_uri"])
    if uri.scheme != PROXIED:
        fix = "log an artifact from where training runs"
        return unknown(
            "artifacts", f"clients write to {uri.scheme}:// themselves, not through the server", fix
        )
    sent = str(uuid.uuid4())
    path = f"{FILES}{uri.path}/{sent}.txt"
    server.request_ok("PUT", path, data=sent)
    try:
        got = server.request_ok("GET", path).text
    finally:
        server.request_ok("DELETE", path)
    if got == sent:
        return green("artifacts", "written, read back equal, deleted")
    return red("artifacts", "read back something else than was written", "do two buckets share an address?")


def is_missing(answer: requests.Response) -> bool:
    """Return whether the server answered that the object does not exist."""
    return answer.status_code == 404 and "RESOURCE_DOES_NOT_EXIST" in answer.text


def _check_run(server: ServerClient) -> dict[str, Any]:
    """Return the run of the check, created the first time, with a new end time."""
    experiment = _experiment(server)
    runs = server.request_ok(
        "POST", f"{API}/runs/search", json={"experiment_ids": [experiment], "max_results": 1}
    )
    found = runs.json().get("runs")
    now = int(time.time() * 1000)
    if not found:
        new = {"experiment_id": experiment, "run_name": "health check", "start_time": now}
        found = [server.request_ok("POST", f"{API}/runs/create", json=new).json()["run"]]
    info: dict[str, Any] = found[0]["info"]
    end = {"run_id": info["run_id"], "status": "FINISHED", "end_time": now}
    server.request_ok("POST", f"{API}/runs/update", json=end)
    return info


def _experiment(server: ServerClient) -> str:
    """Return the id of the experiment of the check; create or restore it if needed."""
    answer = server.request("GET", f"{API}/experiments/get-by-name", params={"experiment_name": EXPERIMENT})
    if is_missing(answer):
        made = server.request("POST", f"{API}/experiments/create", json={"name": EXPERIMENT})
        if made.status_code == 400 and "RESOURCE_ALREADY_EXISTS" in made.text:  # by another check, just now
            return _experiment(server)
        made.raise_for_status()
        return str(made.json()["experiment_id"])
    answer.raise_for_status()
    found = answer.json()["experiment"]
    if found["lifecycle_stage"] == "deleted":
        chosen = {"experiment_id": found["experiment_id"]}
        server.request_ok("POST", f"{API}/experiments/restore", json=chosen)
    return str(found["experiment_id"])
