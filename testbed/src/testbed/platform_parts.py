"""`testbed platform`: what a production cluster has beside MLflow, for trying production on a laptop.

Traefik, cert-manager, External Secrets and Prometheus are releases of helmfile.yaml, switched on by
`platform.enabled`. This module is their hook.
"""

from typing import Annotated

import typer
from mlflowops import console, generated_secrets, shell
from mlflowops.errors import OpsError

from testbed import tools
from testbed.cluster.waiting import wait_until

app = typer.Typer(help="What a production cluster has beside MLflow.", no_args_is_help=True)

# Each part is a release in a namespace of the same name, and the objects that it understands.
PARTS = {
    "traefik": "gateway-api-crds",
    "cert-manager": "cert-manager-crds",
    "external-secrets": "external-secrets-crds",
    "monitoring": "prometheus-operator-crds",
}
STATE = "platform.enabled=true"
"""What switches them on."""

IMAGES = "platform"
"""The group of their images in images.toml."""

CHANGING = ("apply", "sync")


@app.callback()
def main() -> None:
    """Keep `prepare` a sub-command although it is the only one."""


@app.command()
def prepare(
    part: Annotated[str, typer.Argument(help=f"One of {', '.join(PARTS)}.")],
    context: Annotated[str, typer.Option(help="Kubeconfig context; default: the current one.")] = "",
    command: Annotated[str, typer.Option(help="The helmfile command that this is a hook of.")] = "apply",
) -> None:
    """Make a part's namespace and define its objects. Does nothing for a command that only looks.

    It has to come before helmfile compares anything: an API server has no schema for unknown resources.
    """
    if part not in PARTS:
        raise OpsError(f"platform {part}", "there is no such part", f"choose from {', '.join(PARTS)}")
    if command not in CHANGING:
        return
    _ensure_namespace(part, context)
    _define(PARTS[part], context)
    console.out.print(f"Platform {part}: namespace and definitions are there", highlight=False)


def _ensure_namespace(name: str, context: str) -> None:
    from mlflowops import kube

    api = kube.connect(context or None)
    with kube.api_errors(f"namespace {name!r}"):
        generated_secrets.ensure_namespace(api, name)


def _define(definitions: str, context: str) -> None:
    """Apply custom resource definitions and wait until the API server serves them."""
    kubectl = [str(tools.ensure("kubectl")), *(["--context", context] if context else [])]
    file = str(tools.ensure(definitions))
    # Server-side: they are larger than what kubectl would keep in an annotation.
    shell.run([*kubectl, "apply", "--server-side", "--force-conflicts", "--filename", file])
    wait = [*kubectl, "wait", "--for=condition=Established", "--timeout=60s", "--filename", file]
    # A definition that is a moment old has no conditions at all, which kubectl takes for an error.
    wait_until(
        lambda: shell.run(wait, check=False).returncode == 0, 60, f"definitions of {definitions}", every=1
    )
