"""Questions about the bucket of the artifacts, asked in a server pod: it has the keys, which stay there."""

import json
from typing import Any

from kubernetes import client
from kubernetes.stream import stream

from mlflowops import query
from mlflowops.backup.jobs import Jobs
from mlflowops.errors import OpsError

SECONDS = 120


def ask(jobs: Jobs, question: str, *arguments: str) -> Any:
    """What a server pod answers to a question. OpsError if no server pod is there, or if it fails."""
    core = client.CoreV1Api(jobs.api)
    apps = client.AppsV1Api(jobs.api)
    deployment = jobs.plain(apps.read_namespaced_deployment(jobs.release, jobs.namespace))
    chosen = deployment["spec"]["selector"]["matchLabels"].items()
    labels, running = ",".join(f"{key}={value}" for key, value in chosen), "status.phase=Running"
    pods = core.list_namespaced_pod(jobs.namespace, label_selector=labels, field_selector=running)
    names = [pod["metadata"]["name"] for pod in jobs.plain(pods)["items"]]
    if not names:
        raise OpsError(f"deployment/{jobs.release}", "no pod runs that could look", "scale it to 1")
    inside = stream(
        core.connect_get_namespaced_pod_exec, names[0], jobs.namespace,
        container="mlflow", command=query.command(question, *arguments),
        stdout=True, stderr=True, stdin=False, tty=False, _preload_content=False,
    )  # fmt: skip
    inside.run_forever(timeout=SECONDS)
    answer, complaint = inside.read_stdout(timeout=0), inside.read_stderr(timeout=0)
    try:
        return json.loads(query.answer(answer))
    except ValueError as error:
        last = (complaint.strip().splitlines() or ["no answer"])[-1]
        raise OpsError("object store", last, "see artifactStore in the values", 1) from error
