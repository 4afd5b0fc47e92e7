"""`mlflowops health`: runs all checks of a release."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from mlflowops import console
from mlflowops.errors import OpsError
from mlflowops.health import report, server
from mlflowops.health.check import Check, red, unknown
from mlflowops.options import Context, Namespace
from mlflowops.output import Output, OutputOption

if TYPE_CHECKING:
    from mlflowops.health.release import Release
    from mlflowops.kube import Reader

RIGHTS_HINT = "give the account the rules of examples/health/reader.yaml"


def health(
    namespace: Namespace = "ml",
    release: Annotated[str, typer.Option(help="Name of the release's Deployment and Service.")] = "mlflow",
    context: Context = None,
    url: Annotated[
        str | None, typer.Option(help="Check only the server at this URL, without Kubernetes.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Timeout of a request, in seconds.")] = 10,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Repeat the check until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option(min=1, help="Seconds between two checks of --watch.")] = 10,
    output: OutputOption = Output.table,
) -> None:
    """Check the health of a release. Each failed check says what to do.

    Checks the objects of the release in Kubernetes, then the server and the exporters through a
    port-forward, with the login in MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD. With --url it
    checks only the server at that URL. Components that are not installed are not checked.

    Exit code 0: healthy, 1: a check failed, 2: the release could not be checked.

    \b
    mlflowops health                             # namespace ml, or MLFLOW_NAMESPACE
    mlflowops health --namespace ml --watch --interval 5
    mlflowops health --url https://mlflow.example.com --output json
    """
    where = {"namespace": None if url else namespace, "release": None if url else release}

    def run_checks() -> bool:
        progress = console.step("Checking " + (url or f"{release} in namespace {namespace}"))
        with nullcontext() if watch else progress:
            checks = list(
                url_checks(url, timeout) if url else in_cluster(namespace, release, context, timeout)
            )
        if watch:
            console.out.clear()
        if output is Output.json:
            report.json(checks, where)
        else:
            report.table(checks)
        return all(check.status != "red" for check in checks)

    healthy = repeat(run_checks, interval) if watch else run_checks()
    if not healthy:
        raise typer.Exit(1)


def repeat(run_checks: Callable[[], bool], interval: float) -> bool:
    """Repeat the checks until Ctrl-C; return the last result. Only an error of the first run is raised."""
    healthy = run_checks()
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(interval)
            try:
                healthy = run_checks()
            except OpsError as error:  # the cluster may come back
                console.err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
                healthy = False
    return healthy


def url_checks(url: str, seconds: float) -> Iterator[Check]:
    """Yield the checks of the server at a URL."""
    return server.checks(server.ServerClient(url, seconds))


def in_cluster(namespace: str, name: str, context: str | None, seconds: float) -> Iterator[Check]:
    """Yield the checks of a release: its pods, its server, then the objects around it."""
    from mlflowops import kube  # which imports the Kubernetes client: a second
    from mlflowops.health import pods, schema, volume
    from mlflowops.health.release import read_release

    reader = kube.Reader(kube.connect(context), namespace, seconds)
    found = read_release(reader, name)
    yield pods.rollout(found)
    yield pods.pods(found)
    yield pods.endpoints(found)
    yield from server_checks(found, reader)
    yield schema.schema(found, reader)
    yield from volume.checks(found, reader)
    yield from object_checks(found, reader)


def object_checks(release: "Release", reader: "Reader") -> Iterator[Check]:
    """Yield the checks of the objects around the server, as far as the account may read them."""
    from mlflowops.health import (
        backup_age,
        certificate,
        external_secret_status,
        ingress,
        metrics,
        pods,
        scaling,
    )

    for part, checks in {
        "ingress": ingress.checks,
        "certificate": certificate.checks,
        "external secrets": external_secret_status.checks,
        "metrics": metrics.checks,
        "jobs": pods.jobs,
        "autoscaling": scaling.autoscaling,
        "disruption": scaling.disruption,
        "backup": backup_age.checks,
    }.items():
        yield from checks_or_unknown(part, partial(checks, release, reader))


def server_checks(release: "Release", reader: "Reader") -> Iterator[Check]:
    """Yield the checks of the server in a ready pod."""
    from mlflowops import kube
    from mlflowops.health.release import container_port

    pod = release.ready_pod
    if pod is None:
        yield red("health", "no pod is ready to be asked", "see the pods")
        return
    with kube.forwarded_session(reader.api, pod, container_port(pod, "http") or server.PORT) as session:
        where = f"pod {pod['metadata']['name']}"
        url = f"http://localhost{release.path}"
        yield from server.checks(server.ServerClient(url, reader.seconds, session, where))


def checks_or_unknown(part: str, run: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """Yield the checks of a part, or one `unknown` check if its objects cannot be read."""
    from mlflowops import kube

    try:
        yield from run()
    except kube.ApiError as error:
        yield unknown(part, f"the Kubernetes API answers {error.status} {error.reason}", RIGHTS_HINT)
    except kube.HTTPError as error:
        yield unknown(
            part, f"the Kubernetes API does not answer ({error})", "repeat it, with a larger --timeout"
        )
