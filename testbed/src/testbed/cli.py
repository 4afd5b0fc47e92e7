"""The `testbed` command: manages a cluster with MLflow on this machine, its images and its tools."""

import sys

import typer
from mlflowops.console import err
from mlflowops.errors import OpsError

from testbed.cluster.cli import app as cluster
from testbed.helmfile import helmfile
from testbed.images.cli import app as images
from testbed.platform_parts import app as platform
from testbed.release.cli import app as release
from testbed.tools.cli import app as tools
from testbed.up import down, up

# helmfile understands its own arguments, even --help.
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=True)


@app.callback()
def options() -> None:
    """A Kubernetes to try MLflow on and to test it on. `mlflowops` looks after an MLflow that runs.

    \b
    testbed up                  # a cluster with MLflow on this machine
    testbed cluster status      # is the cluster well?
    testbed down                # remove it and all it left
    """


app.command()(up)
app.command()(down)
app.add_typer(tools, name="tools")
app.add_typer(cluster, name="cluster")
app.add_typer(images, name="images")
app.add_typer(platform, name="platform")
app.add_typer(release, name="release")
app.command(context_settings=PASS_ON)(helmfile)


def main() -> None:
    """Run the command line. OpsError becomes one sentence on stderr and its exit code."""
    try:
        app()
    except OpsError as error:
        err.print(f"testbed: {error.sentence}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
