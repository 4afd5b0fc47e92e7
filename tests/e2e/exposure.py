"""What the tests of exposure share: the examples with a host of their own, and who reaches whom."""

import os
from pathlib import Path
from typing import Any

import yaml
from mlflow import MlflowClient
from mlflowops.paths import REPO

from e2e.browser import Browser, browser
from e2e.kube import Kube, client_pod, eventually
from e2e.platform import Platform

RUN = "seen-by-people"
TRACK = f"""
import mlflow
mlflow.set_experiment("{RUN}")
with mlflow.start_run(run_name="{RUN}-run"):
    mlflow.log_metric("accuracy", 0.875)
"""
REACH = """
import socket, sys
for target in sys.argv[1:]:
    host, port = target.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), 3).close()
        print(target, "open")
    except OSError as error:
        print(target, "closed")
"""


def example(name: str, host: str) -> dict[str, Any]:
    """The values of examples/exposure, for another host."""
    text = (REPO / f"examples/exposure/{name}.yaml").read_text()
    values: dict[str, Any] = yaml.safe_load(text.replace("mlflow.example.com", host))
    return values


def post(platform: Platform, url: str, origin: str) -> int:
    """The status of what the UI does first, from a page of that origin."""
    search = f"{url}/ajax-api/2.0/mlflow/experiments/search"
    return platform.request("POST", search, json={"max_results": 1}, headers={"Origin": origin}).status_code


def looks_at_the_run(window: Browser, url: str, experiment_id: str) -> None:
    """The list of experiments, then the runs of one; all that the pages asked for is answered."""
    window.open(f"{url}/#/experiments")
    window.see(RUN)
    window.open(f"{url}/#/experiments/{experiment_id}/runs")
    window.see(f"{RUN}-run")
    answers = window.answers()
    assert [code for method, asked, code in answers if method == "POST" and "runs/search" in asked] != []
    # Without accounts there is no logged-in user: the UI accepts the missing answer.
    # MLflow's Assistant is closed: the UI asks for it, is told 404, and leaves it out.
    expected = ("/users/current", "/assistant/config", "/assistant/providers")
    refused = [each for each in answers if each[2] >= 400 and not each[1].endswith(expected)]
    assert refused == [], refused


def people_see_the_run(platform: Platform, client: MlflowClient, url: str) -> None:
    """A real browser through Traefik with TLS."""
    host = url.split("/")[2]
    with platform.hosts(host):
        experiment = client.get_experiment_by_name(RUN)
    assert experiment
    with browser(platform.address, host) as window:
        looks_at_the_run(window, url, experiment.experiment_id)


def reached(
    kube: Kube, namespace: str, name: str, targets: list[str], labels: dict[str, str], wanted: list[str]
) -> None:
    """Wait until a new pod with these labels reaches the wanted targets and no other, twice in a row.

    A node learns of a new pod's policies a moment after the pod has started.
    """
    pod = client_pod(name, ["sleep", "3600"])
    pod["metadata"]["labels"] = labels
    kube.core.create_namespaced_pod(namespace, pod)

    def running() -> bool:
        return kube.core.read_namespaced_pod(name, namespace).status.phase == "Running"

    def look() -> list[str]:
        return opened(kube.exec(namespace, name, ["python", "-c", REACH, *targets]))

    try:
        eventually(running, 90, f"pod {name} running")
        eventually(lambda: look() == wanted == look(), 60, f"pod {name} reaches {wanted} of {targets}")
    finally:
        kube.core.delete_namespaced_pod(name, namespace, grace_period_seconds=0)


def opened(log: str) -> list[str]:
    return [line.split()[0] for line in log.splitlines() if line.endswith(" open")]


def large_file(folder: Path, megabytes: int) -> Path:
    """A file that no compression makes small."""
    file = folder / "weights.bin"
    with file.open("wb") as out:
        for _ in range(megabytes):
            out.write(os.urandom(1024 * 1024))
    return file
