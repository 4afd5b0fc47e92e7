"""The `mlflowops` command: one sub-command per task, each a thin layer over a module of the same name."""

import sys

import typer

from mlflowops.best_run import best_run
from mlflowops.cluster.cli import app as cluster
from mlflowops.console import err
from mlflowops.errors import OpsError
from mlflowops.health.cli import health
from mlflowops.helmfile import helmfile
from mlflowops.images.cli import app as images
from mlflowops.importer.command import import_
from mlflowops.log_results import log_results
from mlflowops.platform import app as platform
from mlflowops.promote import promote
from mlflowops.secrets import app as secrets
from mlflowops.tools.cli import app as tools
from mlflowops.up import down, up

# helmfile understands its own arguments, even --help.
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

app = typer.Typer(
    help=__import__("mlflowops").__doc__,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)
app.command()(up)
app.command()(down)
app.add_typer(tools, name="tools")
app.add_typer(cluster, name="cluster")
app.add_typer(images, name="images")
app.add_typer(secrets, name="secrets")
app.add_typer(platform, name="platform")
app.command()(health)
app.command()(log_results)
app.command()(best_run)
app.command()(promote)
app.command("import")(import_)
app.command(context_settings=PASS_ON)(helmfile)


def main() -> None:
    """Run the command line. OpsError becomes one sentence on stderr and its exit code."""
    try:
        app()
    except OpsError as error:
        err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
