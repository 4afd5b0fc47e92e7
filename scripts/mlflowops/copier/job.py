"""The Job in which a copy runs: the server's own pod, with the program `copy` in place of the server."""

import copy
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from mlflowops import console, kube
from mlflowops.copier.orders import Orders
from mlflowops.errors import OpsError
from mlflowops.kube import ApiError, Json, Reader

PORT = 9465
CONTAINER = "copy"
VOLUME = "copy"
FOLDER = "/copy"
SOURCE = "MLFLOW_KUBERNETES_COPY_SOURCE"
SECONDS_TO_START = 600
OF_A_SERVER = ("ports", "lifecycle", "livenessProbe", "readinessProbe", "startupProbe")


@contextmanager
def running(reader: Reader, release: str, secret: tuple[str, str] | None) -> Iterator[Orders]:
    """Run the Job for the block.

    Args:
        reader: Reader of the namespace.
        release: Name of the Deployment of the server.
        secret: Name and key of the Secret with the URI of the source, if that is a PostgreSQL.
    """
    deployment = reader.get("apps/v1", "deployments", release)
    name = f"{release}-copy-{secrets.token_hex(3)}"
    kube.create_job(reader.api, reader.namespace, job(deployment, name, secret))
    with console.step(f"job/{name}"):
        orders = _wait(reader, name)
    try:
        yield orders
    finally:
        with suppress(OpsError):  # it ends by itself when no order comes
            orders.result("end")


def job(deployment: Json, name: str, secret: tuple[str, str] | None = None) -> Json:
    """Return the Job of a release."""
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", **_named(deployment), "uid": _uid(deployment)}
    template = deployment["spec"]["template"]
    labels = {**template["metadata"]["labels"], "app.kubernetes.io/component": "copy"}
    labels.pop("app", None)  # no Service may lead to it
    metadata = {"name": name, "labels": labels, "ownerReferences": [owner]}
    pod = {
        "metadata": {"labels": labels, "annotations": template["metadata"].get("annotations", {})},
        "spec": _pod(template["spec"], secret),
    }
    spec = {
        "backoffLimit": 0,
        "activeDeadlineSeconds": 86400,
        "ttlSecondsAfterFinished": 3600,
        "template": pod,
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def _pod(server: Json, secret: tuple[str, str] | None) -> Json:
    spec = copy.deepcopy(server)
    for field in ("topologySpreadConstraints", "terminationGracePeriodSeconds"):
        spec.pop(field, None)
    (container,) = (each for each in spec["containers"] if each["name"] == "mlflow")
    for field in OF_A_SERVER:
        container.pop(field, None)
    container["name"] = CONTAINER
    container["command"] = [*container["command"][:-1], "copy", f"--folder={FOLDER}", f"--port={PORT}"]
    container["volumeMounts"] = [
        *container.get("volumeMounts", []),
        {"name": VOLUME, "mountPath": FOLDER},
    ]
    if secret:
        reference = {"name": secret[0], "key": secret[1]}
        container["env"] = [
            *container.get("env", []),
            {"name": SOURCE, "valueFrom": {"secretKeyRef": reference}},
        ]
    volumes = [*spec.get("volumes", []), {"name": VOLUME, "emptyDir": {}}]
    return {**spec, "containers": [container], "volumes": volumes, "restartPolicy": "Never"}


def _wait(reader: Reader, name: str) -> Orders:
    """Wait until the program answers."""
    started = kube.wait_until(lambda: _state(reader, name), SECONDS_TO_START)
    if not started:
        wrong = f"its container has not started in {SECONDS_TO_START} s"
        raise _failure(reader, name, wrong)
    pod, running_ = started
    if not running_:
        raise _failure(reader, name, _last_line(reader, pod))
    orders = Orders(kube.forwarded_session(reader.api, pod, PORT), f"http://localhost:{PORT}")
    if not kube.wait_until(lambda: _answers(reader, name, orders), SECONDS_TO_START):
        raise _failure(reader, name, "it does not answer")
    return orders


def _answers(reader: Reader, name: str, orders: Orders) -> bool:
    state = _state(reader, name)
    if state and not state[1]:
        raise _failure(reader, name, _last_line(reader, state[0]))
    try:
        return bool(orders.result("ready"))
    except OpsError:
        return False


def _state(reader: Reader, name: str) -> tuple[Json, bool] | None:
    """Return the pod and whether its container runs; None before it has started."""
    for pod in reader.list_pods(f"job-name={name}"):
        if pod["status"].get("phase") in ("Failed", "Succeeded"):
            return pod, False
        statuses: list[dict[str, Any]] = pod["status"].get("containerStatuses", [])
        if any("running" in each["state"] for each in statuses):
            return pod, True
    return None


def _last_line(reader: Reader, pod: Json) -> str:
    try:
        lines = reader.log(pod["metadata"]["name"], CONTAINER).strip().splitlines()
    except ApiError as error:
        lines = [str(error.reason)]
    return (lines or ["it ended without a log"])[-1].rstrip(".")


def _failure(reader: Reader, name: str, wrong: str) -> OpsError:
    look = f"`kubectl logs -n {reader.namespace} job/{name} --all-containers` says more"
    return OpsError(f"job/{name}", wrong, look, exit_code=1)


def _named(item: Json) -> Json:
    return {"name": item["metadata"]["name"]}


def _uid(item: Json) -> str:
    return str(item["metadata"]["uid"])
