"""`mlflowops health`: all checks in the order in which a person would look."""

from collections.abc import Iterator
from typing import Annotated, Literal

import typer

from mlflowops import console
from mlflowops.errors import OpsError
from mlflowops.health import forward, report, server
from mlflowops.health.check import Check, red


def health(
    namespace: Annotated[str, typer.Option(envvar="MLFLOW_NAMESPACE", help="Where MLflow runs.")] = "ml",
    release: Annotated[str, typer.Option(help="Name of its Deployment and Service.")] = "mlflow",
    context: Annotated[str | None, typer.Option(help="Kubeconfig context; default: the current one.")] = None,
    url: Annotated[str | None, typer.Option(help="Ask this URL only, and no Kubernetes.")] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that one question may take.")] = 10,
    output: Annotated[Literal["table", "json"], typer.Option(help="For people or for machines.")] = "table",
) -> None:
    """Is this MLflow well? Each red line says what to do.

    Asks Kubernetes, then the server through a port-forward; with --url only the server, at that URL.
    Exit code 0: all is well, 1: something is red, 2: there is nothing to check.
    """
    with console.step("Checking " + (url or f"{release} in namespace {namespace}")):
        checks = list(
            server.checks(url, timeout) if url else in_cluster(namespace, release, context, timeout)
        )
    if output == "json":
        report.json(checks, {"namespace": None if url else namespace, "release": None if url else release})
    else:
        report.table(checks)
    if any(check.status == "red" for check in checks):
        raise typer.Exit(1)


def in_cluster(namespace: str, name: str, context: str | None, seconds: float) -> Iterator[Check]:
    """What Kubernetes knows about the release, then what its server says."""
    from mlflowops.health import pods, release, schema  # which import the Kubernetes client: a second

    found = release.read(namespace, name, context, seconds)
    yield pods.rollout(found)
    yield pods.pods(found)
    yield pods.endpoints(found)
    try:
        with forward.port_forward(namespace, name, context, seconds) as url:
            yield from server.checks(url + found.path, seconds)
    except OpsError as error:
        yield red("health", str(error), "see the pods and the endpoints")
    yield schema.schema(found, context, seconds)
