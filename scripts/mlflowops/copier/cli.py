"""`mlflowops copy`: the command."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from mlflowops import console
from mlflowops.errors import OpsError
from mlflowops.options import Artifacts, Context, Namespace, ReleaseName
from mlflowops.output import Output, OutputOption

if TYPE_CHECKING:
    from mlflowops.importer.locations import AllowedLocations

INTERRUPTED = 130
SECRET = "secret/"  # noqa: S105 - the kind of an object
Files = list[tuple[str, Path]]


def copy(
    source: Annotated[str, typer.Argument(help="sqlite:///mlflow.db, or secret/NAME/KEY with a URI.")],
    artifacts: Artifacts = None,
    accounts: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File basic_auth.db of the source.")
    ] = None,
    namespace: Namespace = "ml",
    release: ReleaseName = "mlflow",
    context: Context = None,
    output: OutputOption = Output.table,
) -> None:
    """Copy the database and the artifacts of another MLflow into an empty release, row by row.

    All ids stay the same: experiments, runs, traces, prompts, models, datasets, webhooks, and accounts with
    --accounts. Artifact locations change to those of the release. Stop the source server first.

    SOURCE is a SQLite file, or a PostgreSQL that pods of the release reach, by its URI in a Secret of their
    namespace. A Job with the image and the credentials of the server writes all rows in one transaction,
    and compares each with the source before its end: an interrupted copy leaves only artifacts
    behind, and can be repeated. Exit code 1 if artifacts were refused or rows differ.

    Artifacts are read only below the folder of the SQLite file and below what --artifacts names. Secrets of
    webhooks need the key of the source in MLFLOWOPS_SOURCE_WEBHOOK_KEY, unless it is that of the release.

        mlflowops copy sqlite:///mlflow.db --namespace ml
    """
    from mlflowops import kube
    from mlflowops.copier import job
    from mlflowops.copier.copying import copy_all

    secret = _secret(source)
    with tempfile.TemporaryDirectory(prefix="mlflowops-copy-") as temp:
        files, locations = _open(source, artifacts or [], accounts, Path(temp))
        try:
            with kube.api_errors(f"copy into {release} in namespace {namespace!r}"):
                reader = kube.Reader(kube.connect(context), namespace)
                with job.running(reader, release, secret) as orders:
                    report = copy_all(orders, files, locations)
        except KeyboardInterrupt:
            instead = "run the same command to continue"
            raise OpsError(f"copy {source}", "interrupted", instead, INTERRUPTED) from None
    _show(report, output)
    raise typer.Exit(1 if report["refused"] or report["different"] else 0)


def _secret(source: str) -> tuple[str, str] | None:
    """Return the name and the key of the Secret that SOURCE names."""
    if not source.startswith(SECRET):
        return None
    name, _, key = source.removeprefix(SECRET).partition("/")
    if not name or not key:
        instead = "give secret/NAME/KEY, for example secret/old-database/uri"
        raise OpsError(f"SOURCE {source}", "names no key of a Secret", instead)
    return name, key


def _open(
    source: str, artifacts: Sequence[str], accounts: Path | None, folder: Path
) -> tuple[Files, "AllowedLocations"]:
    """Return snapshots of the SQLite files, and where artifacts may be read from."""
    from mlflowops.importer.locations import AllowedLocations, check_named
    from mlflowops.importer.snapshot import copy_sqlite
    from mlflowops.importer.source import local_locations, resolve_path

    check_named(artifacts)
    files: Files = []
    if source.startswith(SECRET):
        locations = AllowedLocations((), artifacts)
    else:
        path, scheme = resolve_path(source)
        if scheme != "sqlite":
            instead = "use `mlflowops import` for a file store"
            raise OpsError(f"SOURCE {source}", "not a SQLite file", instead)
        locations = local_locations(path, scheme, artifacts)
        files.append(("database", folder / "database"))
        copy_sqlite(path, folder / "database")
    if accounts:
        files.append(("accounts", folder / "accounts"))
        copy_sqlite(accounts.absolute(), folder / "accounts", "users")
    return files, locations


def _show(report: dict[str, Any], output: Output) -> None:
    if output is Output.json:
        console.as_json(report)
        return
    rows = [
        [name, str(count["source"]), Text(str(count["equal"]), _colour(count))]
        for name, count in report["tables"].items()
    ]
    console.table(["table", "rows in the source", "equal in the release"], rows)
    artifacts = report["artifacts"]
    console.out.print(f"artifacts: {artifacts['source']}, of which {artifacts['copied']} were missing")
    lines = [*report["refused"], *(f"{each} differs" for each in report["different"])]
    console.lines(report["notes"], "yellow")
    console.lines(lines, "red")
    console.out.print(
        Text("not complete, see above", "red") if lines else Text("complete and equal", "green")
    )


def _colour(count: dict[str, Any]) -> str:
    return "green" if count["source"] == count["equal"] else "red"
