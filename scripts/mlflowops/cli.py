"""The `mlflowops` command: one sub-command per task, each a thin layer over a module of the same name."""

import sys
from typing import Annotated

import typer

from mlflowops.accounts.cli import app as accounts
from mlflowops.backup.cli import app as backup
from mlflowops.best_run import best_run
from mlflowops.console import err
from mlflowops.copier.cli import copy
from mlflowops.errors import OpsError
from mlflowops.external_secrets.cli import app as external_secrets
from mlflowops.generated_secrets import app as secrets
from mlflowops.health.cli import health
from mlflowops.helmfile import helmfile
from mlflowops.importer.cli import import_
from mlflowops.log_results import log_results
from mlflowops.migrate_values.cli import migrate_values
from mlflowops.moved import MOVED, moved
from mlflowops.promote import promote
from mlflowops.restore import restore
from mlflowops.tokens.cli import app as token

# helmfile understands its own arguments, even --help.
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)


def version(wanted: bool) -> None:
    """Print the version and exit."""
    if wanted:
        from importlib.metadata import version as installed

        print("mlflowops", installed("mlflowops"))
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Deploy, operate and use MLflow on Kubernetes.

    \b
    mlflowops health                        # check the health of a release
    mlflowops best-run EXPERIMENT -m f1     # find the best run
    mlflowops promote MODEL --min f1=0.9    # promote a model version

    Commands for the server use MLFLOW_TRACKING_URI; commands for Kubernetes use KUBECONFIG.
    """


app.add_typer(secrets, name="secrets")
app.add_typer(external_secrets, name="external-secrets")
app.add_typer(accounts, name="accounts")
app.add_typer(token, name="token")
app.add_typer(backup, name="backup")
app.command()(restore)
app.command()(health)
app.command()(log_results)
app.command()(best_run)
app.command()(promote)
app.command("import")(import_)
app.command()(copy)
app.command("migrate-values")(migrate_values)
app.command(context_settings=PASS_ON)(helmfile)
for name in MOVED:
    app.command(name, hidden=True, context_settings=PASS_ON)(moved)


def main() -> None:
    """Run the command line; print an OpsError on stderr and exit with its code."""
    try:
        app()
    except OpsError as error:
        err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
