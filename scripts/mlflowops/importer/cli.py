"""`mlflowops import`: imports the data of another MLflow."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from mlflowops import console, tracking
from mlflowops.address import without_password
from mlflowops.errors import OpsError
from mlflowops.importer.locations import check_named
from mlflowops.options import Artifacts
from mlflowops.output import Output, OutputOption

if TYPE_CHECKING:
    from mlflowops.importer.transfer import Transfer

INTERRUPTED = 130


def import_(
    source: Annotated[str, typer.Argument(help="./mlruns, sqlite:///mlflow.db or http://host:5000.")],
    artifacts: Artifacts = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Number of parallel transfers.")] = 8,
    output: OutputOption = Output.table,
) -> None:
    """Import the data of another MLflow into the server at MLFLOW_TRACKING_URI, and verify it.

    Experiments, runs (also nested and deleted ones), params, metric histories, tags, datasets, logged and
    registered models, aliases, stages and artifacts. Times, names and states of runs stay; ids of
    runs become new, the old one is the tag mlflowops.import.source. Traces and
    prompts stay behind. `mlflowops copy` keeps all of it, from a SQLite file into an empty release.

    At the end everything is read back and compared, artifacts by checksum. It may be interrupted and
    repeated at any time: it then imports only what is missing or changed. Exit 1 if something differs or
    was refused.

    A server as SOURCE gets the login in MLFLOWOPS_SOURCE_USERNAME and MLFLOWOPS_SOURCE_PASSWORD, or
    MLFLOWOPS_SOURCE_TOKEN; never the one in MLFLOW_TRACKING_USERNAME, which is for the server at
    MLFLOW_TRACKING_URI.

    A source may name any folder of this machine and any bucket. Artifacts are read only below the folder of
    the file store or SQLite file, from the server that is the source, and below what --artifacts names.

        MLFLOW_TRACKING_URI=http://localhost:5000 mlflowops import ./mlruns
    """
    target = tracking.client()
    _check(source, str(target.tracking_uri), artifacts or [])
    from mlflowops.importer.login import separate_logins
    from mlflowops.importer.source import open_source
    from mlflowops.importer.steps import import_all
    from mlflowops.importer.transfer import Transfer

    start = time.monotonic()
    try:
        with (
            tracking.server_errors(f"import {source}"),
            separate_logins(source, str(target.tracking_uri)),
            open_source(source, artifacts or []) as read,
        ):
            transfer = Transfer(read, target, jobs)
            counts = import_all(transfer)
    except KeyboardInterrupt:
        wrong = "interrupted"
        raise OpsError(f"import {source}", wrong, "run the same command to continue", INTERRUPTED) from None
    except ModuleNotFoundError as error:  # MLflow has one package for each cloud's store, and depends on none
        wrong = f"the store of some artifacts needs the Python package {error.name}"
        instead = f"install it beside mlflowops, or type `uvx --with {error.name} ...`"
        raise OpsError(f"import {source}", wrong, instead) from error
    report = _report(transfer, counts) | {"seconds": round(time.monotonic() - start, 1)}
    _show(report, output)
    raise typer.Exit(1 if report["problems"] or report["refused"] else 0)


def _check(source: str, target: str, artifacts: Sequence[str]) -> None:
    if source.rstrip("/") == target.rstrip("/"):
        raise OpsError(
            f"SOURCE {source}", "is the server itself", "point MLFLOW_TRACKING_URI at another server"
        )
    check_named(artifacts)


def _report(transfer: "Transfer", counts: dict[str, list[int]]) -> dict[str, Any]:
    return {
        "source": without_password(transfer.source.name),
        "target": without_password(transfer.target.tracking_uri),
        "written": transfer.written,
        "counts": {
            kind: {"source": wanted, "verified": equal} for kind, (wanted, equal) in counts.items() if wanted
        },
        "notes": transfer.notes,
        "refused": list(transfer.refused),
        "problems": transfer.problems,
    }


def _show(report: dict[str, Any], output: Output) -> None:
    if output is Output.json:
        console.as_json(report)
        return
    rows = [
        [kind, str(each["source"]), Text(str(each["verified"]), _colour(each))]
        for kind, each in report["counts"].items()
    ]
    console.table(["", "in the source", "verified on the server"], rows)
    console.lines(report["notes"], "yellow")
    console.lines(report["refused"] + report["problems"], "red")
    verdict = Text("complete and verified", "green")
    if report["refused"]:
        verdict = Text(f"not complete: refused {len(report['refused'])}, see above", "red")
    if report["problems"]:
        verdict = Text("not complete: run it again to repair what can be repaired", "red")
    console.out.print(verdict, f"after {report['seconds']} s", highlight=False)


def _colour(line: dict[str, int]) -> str:
    return "green" if line["source"] == line["verified"] else "red"
