"""`mlflowops external-secrets`: checks External Secrets, or fetches the secrets now."""

from typing import Annotated

import typer

from mlflowops import console
from mlflowops.errors import OpsError
from mlflowops.health import report
from mlflowops.options import Context
from mlflowops.output import Output, OutputOption

app = typer.Typer(help="Check or fetch the Secrets from a vault.")

Namespace = Annotated[
    str, typer.Option("--namespace", "-n", envvar="MLFLOW_NAMESPACE", help="Namespace of the release.")
]


@app.callback(invoke_without_command=True)
def check(
    ctx: typer.Context,
    namespace: Namespace = "ml",
    context: Context = None,
    store: Annotated[
        str | None,
        typer.Option(help="Also check this store, <kind>/<name>, for example before MLflow is installed."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Timeout of a request, in seconds.")] = 10,
    output: OutputOption = Output.table,
) -> None:
    """Check operator, stores, ExternalSecrets and the keys that pods read. Each red line says what to do.

    Exit code 0: healthy, 1: a check failed, 2: there is no cluster to ask.
    """
    if ctx.invoked_subcommand:
        return
    from mlflowops.external_secrets import checks, inventory

    with console.step(f"Checking External Secrets in namespace {namespace}"):
        found = inventory.read(namespace, context, timeout, _parse_store(store))
        lines = list(checks.checks(found))
    if output is Output.json:
        report.json(lines, {"namespace": namespace})
    else:
        report.table(lines)
    if any(line.status == "red" for line in lines):
        raise typer.Exit(1)


@app.command()
def sync(
    namespace: Namespace = "ml",
    context: Context = None,
    restart: Annotated[
        bool, typer.Option(help="Restart the pods afterwards, since they read Secrets when they start.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for the operator.")] = 60,
) -> None:
    """Fetch all values from the vault now, for example after a rotation, and wait for them."""
    from mlflowops.external_secrets.sync import restart as restart_pods
    from mlflowops.external_secrets.sync import sync as fetch

    with console.step(f"Fetching the secrets of namespace {namespace}"):
        names = fetch(namespace, context, timeout)
    console.out.print(f"fetched: {', '.join(names)}", highlight=False, soft_wrap=True)
    if restart:
        restarted = restart_pods(namespace, context)
        console.out.print(f"restarting: {', '.join(restarted)}", highlight=False, soft_wrap=True)


def _parse_store(store: str | None) -> tuple[str, str] | None:
    if not store:
        return None
    kind, _, name = store.partition("/")
    if kind not in ("SecretStore", "ClusterSecretStore") or not name:
        instead = "write it as ClusterSecretStore/<name> or SecretStore/<name>"
        raise OpsError(f"--store {store}", "is not the kind and name of a store", instead)
    return kind, name
