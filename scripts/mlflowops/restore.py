"""`mlflowops restore`: replace the database by a backup while the server is scaled to 0."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from mlflowops import console
from mlflowops.options import Context, Namespace, ReleaseName

if TYPE_CHECKING:
    from mlflowops.kube import Json, Reader

REPLICAS = "mlflowops.restore/replicas"
"""Annotation of a Deployment that a restore has scaled to 0: its replicas before."""


def restore(
    backup: Annotated[str, typer.Argument(help="Name of the backup in `mlflowops backup list`.")] = "latest",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    namespace: Namespace = "ml",
    release: ReleaseName = "mlflow",
    context: Context = None,
) -> None:
    """Replace the database with a backup. MLflow is not available during the restore.

    Scales the server to 0, restores in one transaction, compares the rows, and scales up again. After an
    error the database is unchanged. If the command is killed, run it again: it restores the number of
    replicas, too.
    """
    from mlflowops import kube
    from mlflowops.backup import cronjobs

    with kube.api_errors(f"restore of {release} in namespace {namespace!r}"):
        connected = cronjobs.connect(namespace, release, context)
        connected.job_template("restore")
        if not yes:
            typer.confirm(f"Replace the database of {release} in {namespace} by backup {backup}?", abort=True)
        signal.signal(signal.SIGTERM, _exit_on_sigterm)
        with scaled_to_zero(connected.reader, release):
            connected.run("restore", f"--backup={backup}")


def replicas_before(deployment: "Json") -> int:
    """Return the replicas of a Deployment, or those from before a restore that was killed."""
    annotations = deployment["metadata"].get("annotations") or {}
    return int(deployment["spec"]["replicas"] or annotations.get(REPLICAS, 0))


@contextmanager
def scaled_to_zero(reader: "Reader", deployment: str, seconds: float = 600) -> Iterator[None]:
    """Scale a Deployment to 0 for the block, and back to its replicas even if the block fails."""
    replicas = replicas_before(reader.get("apps/v1", "deployments", deployment))
    try:
        _annotate(reader, deployment, str(replicas))
        _scale(reader, deployment, 0, seconds)
        yield
    finally:
        _scale(reader, deployment, replicas, seconds)
        _annotate(reader, deployment, None)


def _annotate(reader: "Reader", deployment: str, replicas: str | None) -> None:
    from mlflowops import kube

    kube.annotate(reader, "apps/v1", "deployments", deployment, {REPLICAS: replicas})


def _scale(reader: "Reader", deployment: str, replicas: int, seconds: float) -> None:
    from mlflowops import kube

    with console.step(f"deployment/{deployment}: {replicas} pods"):
        kube.scale(reader, deployment, replicas, seconds)


def _exit_on_sigterm(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
