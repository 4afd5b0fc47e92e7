"""The pod of background jobs is killed inside a job; the next one does the job again."""

from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.genai.scorers import scorer
from runtime.jobs import job, score
from runtime.traces import trace

from e2e.faults.conftest import VALUES, Change
from e2e.faults.release import Release
from e2e.faults.tasks import BUSY, Tasks
from e2e.kube import eventually

SERVER = {**VALUES["mlflow"], "env": {"MLFLOW_SERVER_ENABLE_CUSTOM_SCORERS": "true"}}
RESOURCES = {"requests": {"cpu": "50m", "memory": "256Mi"}}


# Its source goes to the server, which has no names of this file.
@scorer
def slow(outputs) -> bool:  # type: ignore[no-untyped-def]
    import time
    from pathlib import Path

    Path("/tmp/started").touch()
    while not Path("/tmp/go").exists():
        time.sleep(0.1)
    return True


def inside_the_job(tasks: Tasks, but: str = "") -> Any:
    """The pod that has begun the job, other than one of that name."""
    for pod in tasks.kube.pods(tasks.namespace, "app.kubernetes.io/component=jobs"):
        ready = all(each.ready for each in pod.status.container_statuses or [])
        if pod.metadata.name != but and pod.status.container_statuses and ready:
            found = tasks.kube.exec(tasks.namespace, pod.metadata.name, ["ls", "/tmp"], "jobs")
            if "started" in found:
                return pod
    return None


@pytest.mark.nightly
def test_a_pod_is_killed_inside_a_job(release: Release, tasks: Tasks, change: Change) -> None:
    change(mlflow=SERVER, jobs={"enabled": True, "resources": RESOURCES})
    url = f"http://{release.kube.services.get(release.namespace, 'mlflow')}"
    scored = trace(url)
    job_id = score(url, scored, slow)

    def happen() -> None:
        first = eventually(lambda: inside_the_job(tasks), 120, "the job begins")
        tasks.delete_now(first)
        second = eventually(lambda: inside_the_job(tasks, first.metadata.name), 300, "it begins again")
        tasks.kube.exec(tasks.namespace, second.metadata.name, ["touch", "/tmp/go"], "jobs")
        eventually(lambda: job(url, job_id)["status"] == "SUCCEEDED", 120, "its success")

    outcome = release.under_load("The pod of background jobs is killed inside a job", happen)
    assert set(outcome.refused) <= BUSY
    (assessment,) = MlflowClient(url).get_trace(scored).info.assessments
    assert assessment.value is True
