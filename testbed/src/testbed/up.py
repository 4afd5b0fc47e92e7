"""`testbed up`: from nothing to a healthy MLflow on Kubernetes; `testbed down`: back to nothing.

Every step finds out what exists already, so a run that was interrupted is continued by the next one, and a
run on a healthy installation changes nothing.
"""

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import typer
from mlflowops import console
from mlflowops.errors import OpsError
from mlflowops.health import cli as health
from mlflowops.health import report
from mlflowops.health.check import Check

from testbed import cluster, helmfile, images, platform_parts
from testbed.cluster.cli import Kubernetes
from testbed.images import programs

NAMESPACE, RELEASE = "ml", "mlflow"
CHECK_TIMEOUT = 20
"""Timeout of one request of the health check, on a machine that has just started everything."""

KIND = "kind-"
"""How kind begins the names of its contexts."""

Name = Annotated[str, typer.Option(envvar="MLFLOWOPS_CLUSTER", help="Name of the cluster.")]


def up(
    name: Name = cluster.DEFAULT_NAME,
    context: Annotated[str, typer.Option(help="Use this kubeconfig context, make no cluster.")] = "",
    with_platform: Annotated[
        bool, typer.Option("--platform", help="Also what a production cluster has: see `testbed platform`.")
    ] = False,
    kubernetes: Kubernetes = None,
) -> None:
    """Make a cluster if there is none, deploy the environment `local` to it, and check that all is well."""
    if context and kubernetes:
        wrong = "it has a Kubernetes version already"
        instead = "leave --kubernetes out, and unset MLFLOWOPS_KUBERNETES"
        raise OpsError(f"--context {context}", wrong, instead)
    if context:
        load_into_context(context, with_platform)
    else:
        os.environ["KUBECONFIG"] = make_cluster(name, with_platform, kubernetes)
    deploy(context, with_platform)
    check_health(context)
    print_access(context)


def down(name: Name = cluster.DEFAULT_NAME) -> None:
    """Remove the cluster that `up` made, and everything in it."""
    ours = cluster.current(name)
    if not ours.exists:
        console.err.print(f"There is no cluster {ours.name}.", highlight=False)
    ours.down()


def make_cluster(name: str, with_platform: bool, kubernetes: str | None) -> str:
    """A running cluster with our images in it; its kubeconfig. Cluster and images are made side by side."""
    ours = cluster.current(name)
    with ThreadPoolExecutor() as pool:
        built, made = pool.submit(build_images, with_platform), pool.submit(ours.up, None, kubernetes)
        archives = [image.archive for image in built.result()]
        made.result()
    ours.load(archives)
    return str(ours.kubeconfig)


def build_images(with_platform: bool) -> list[images.Image]:
    """All images that will run."""
    return [*images.build(), *(programs.build(platform_parts.IMAGES) if with_platform else [])]


def load_into_context(context: str, with_platform: bool) -> None:
    """Load our images into a cluster of the user's, as far as possible from here."""
    from mlflowops import kube

    kube.ping(context)  # before minutes of building
    built = build_images(with_platform)
    if context.startswith(KIND):
        from testbed.cluster.kind import Kind

        Kind(context.removeprefix(KIND)).load([image.archive for image in built])
        return
    console.err.print(f"The nodes of {context} must have these images; load those that they lack:")
    for image in built:
        console.err.print(f"  {image.ref}  {image.archive}", highlight=False, soft_wrap=True)


def deploy(context: str, with_platform: bool) -> None:
    """Install what is not there, upgrade what differs."""
    parts = list(platform_parts.PARTS) if with_platform else []
    for namespace in [NAMESPACE, *parts]:
        helmfile.unlock(namespace, context)
    what = ", ".join([*parts, "PostgreSQL, SeaweedFS and MLflow"])
    try:
        with console.step(f"Deploying {what} (helmfile -e local apply)"):
            helmfile.apply("local", context, platform_parts.STATE if with_platform else "")
    except OpsError:
        with contextlib.suppress(OpsError):  # helm says only what was not ready in time; this says why
            report.table(run_health_check(context))
        raise


def run_health_check(context: str) -> list[Check]:
    """The health check's lines."""
    with console.step("Checking its health"):
        return list(health.in_cluster(NAMESPACE, RELEASE, context or None, CHECK_TIMEOUT))


def check_health(context: str) -> None:
    """Print the health check's report; an error if something is red."""
    checks = run_health_check(context)
    report.table(checks)
    red = [check.name for check in checks if check.status == "red"]
    if red:
        again = "do what the report says, then run it again"
        raise OpsError("up", f"{', '.join(red)} red", again, exit_code=1)


def print_access(context: str) -> None:
    """The lines to copy."""
    config = [] if context else [f"  export KUBECONFIG={os.environ['KUBECONFIG']}"]
    chosen = f" --context {context}" if context else ""
    lines = [
        "",
        "MLflow is up. The UI is http://localhost:5000, as long as this runs:",
        "",
        *config,
        f"  kubectl port-forward -n {NAMESPACE} service/{RELEASE} 5000:5000{chosen}",
        "",
        "For Python on this machine:",
        "",
        "  export MLFLOW_TRACKING_URI=http://localhost:5000",
    ]
    for line in lines:
        console.out.print(line, highlight=False, soft_wrap=True)
