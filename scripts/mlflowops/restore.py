"""`mlflowops restore`: maintenance in one command, from the last server pod to the first."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlflowops import console
from mlflowops.errors import OpsError
from mlflowops.options import Context, Namespace, ReleaseName

if TYPE_CHECKING:
    from kubernetes.client import AppsV1Api

    from mlflowops.backup.jobs import Jobs


def restore(
    backup: Annotated[str, typer.Argument(help="Its name in `mlflowops backup list`.")] = "latest",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    namespace: Namespace = "ml",
    release: ReleaseName = "mlflow",
    context: Context = None,
) -> None:
    """Replace the database by a backup. Nobody can use MLflow meanwhile.

    Scales the server to 0, restores in one transaction, counts the rows, and scales back. If anything is
    wrong with the backup, or on the way, the database stays as it is.
    """
    from mlflowops import kube
    from mlflowops.backup import jobs

    with kube.speaking(f"restore of {release} in namespace {namespace!r}"):
        connected = jobs.connect(namespace, release, context)
        connected.template("restore")
        if not yes:
            typer.confirm(f"Replace the database of {release} in {namespace} by backup {backup}?", abort=True)
        with nobody_serves(connected):
            connected.run("restore", f"--backup={backup}")


@contextmanager
def nobody_serves(jobs: "Jobs", seconds: float = 600) -> Iterator[None]:
    """Within the block no server runs; after it as many as before are ready again, whatever happened."""
    from kubernetes.client import AppsV1Api

    apps = AppsV1Api(jobs.api)
    before = _deployment(apps, jobs)["spec"]["replicas"]
    try:
        _scale(apps, jobs, 0, seconds)
        yield
    finally:
        _scale(apps, jobs, before, seconds)


def _scale(apps: "AppsV1Api", jobs: "Jobs", replicas: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    with console.step(f"deployment/{jobs.release}: {replicas} pods"):
        body = {"spec": {"replicas": replicas}}
        apps.patch_namespaced_deployment_scale(jobs.release, jobs.namespace, body)
        while not _has(apps, jobs, replicas):
            if time.monotonic() > deadline:
                fix = f"`kubectl describe pods -n {jobs.namespace} -l app=mlflow`"
                wrong = f"has not come to {replicas} pods in {seconds:.0f} s"
                raise OpsError(f"deployment/{jobs.release}", wrong, fix, exit_code=1)
            time.sleep(1)


def _has(apps: "AppsV1Api", jobs: "Jobs", replicas: int) -> bool:
    found = _deployment(apps, jobs)
    status = found["status"]
    seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
    return seen and replicas == status.get("readyReplicas", 0) == status.get("replicas", 0)


def _deployment(apps: "AppsV1Api", jobs: "Jobs") -> Any:
    return jobs.plain(apps.read_namespaced_deployment(jobs.release, jobs.namespace))
