"""`testbed cluster`: creates, checks and removes a cluster."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from mlflowops import console
from mlflowops.errors import OpsError
from mlflowops.output import Output, OutputOption

from testbed import cluster

if TYPE_CHECKING:
    from testbed.cluster.status import Status

app = typer.Typer(help="Make, inspect and remove a Kubernetes cluster on this machine.", no_args_is_help=True)

Name = Annotated[
    str,
    typer.Option("--name", envvar="MLFLOWOPS_CLUSTER", help="Which cluster; several can stand side by side."),
]


Kubernetes = Annotated[
    str | None,
    typer.Option(envvar="MLFLOWOPS_KUBERNETES", help="Kubernetes version of a new cluster, such as 1.33."),
]


@app.command()
def prepare(name: Name = cluster.DEFAULT_NAME, kubernetes: Kubernetes = None) -> None:
    """Build or install what `up` needs, which takes minutes on a new machine."""
    cluster.current(name).prepare(kubernetes)


@app.command()
def up(
    name: Name = cluster.DEFAULT_NAME,
    nodes: Annotated[int | None, typer.Option(help="How many nodes; 2 for a new cluster.")] = None,
    kubernetes: Kubernetes = None,
) -> None:
    """Make the cluster, or what is missing of it."""
    wanted = cluster.current(name)
    wanted.up(nodes, kubernetes)
    console.err.print(f"Cluster {name} is up: export KUBECONFIG={wanted.kubeconfig}", soft_wrap=True)


@app.command()
def down(name: Name = cluster.DEFAULT_NAME) -> None:
    """Remove the cluster and all it left, also after a crash."""
    cluster.current(name).down()


@app.command()
def load(archives: list[Path], name: Name = cluster.DEFAULT_NAME) -> None:
    """Bring the images in docker or OCI archives to every node."""
    cluster.current(name).load(archives)


@app.command()
def kubeconfig(name: Name = cluster.DEFAULT_NAME) -> None:
    """Print the path of the kubeconfig: export KUBECONFIG="$(testbed cluster kubeconfig)"."""
    file = cluster.current(name).kubeconfig
    if not file.exists():
        raise OpsError(f"cluster {name}", "there is none", f"run `testbed cluster up --name {name}`")
    print(file)


@app.command()
def status(name: Name = cluster.DEFAULT_NAME, output: OutputOption = Output.table) -> None:
    """Show nodes and add-ons. Exit 1 unless all are well."""
    from testbed.cluster.status import of

    found = of(cluster.current(name))
    if output is Output.json:
        console.as_json(found.as_dict())
    else:
        _show(found)
    raise typer.Exit(0 if found.well else 1)


def _show(found: "Status") -> None:
    console.out.print(f"{found.name}: {found.summary}", soft_wrap=True, highlight=False)
    rows = [
        (each.name, each.version, each.address, "ready" if each.ready else "not ready")
        for each in found.nodes
    ]
    rows += [(name, "", "", "ready" if whole else "not ready") for name, whole in found.addons.items()]
    if rows:
        console.table(("part", "version", "address", "state"), rows)
