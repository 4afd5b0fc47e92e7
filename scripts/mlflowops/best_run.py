"""`mlflowops best-run`: ranks runs by one metric."""

import math
from collections.abc import Iterator
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlflowops import console, tracking
from mlflowops.errors import OpsError
from mlflowops.metric import is_number, lower_is_better
from mlflowops.output import Output, OutputOption

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

PAGE = 200


class Direction(str, Enum):
    """Whether high or low values of the metric are better."""

    auto = "auto"
    max = "max"
    min = "min"


def best_run(
    experiments: Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help="Names of experiments.")],
    metric: Annotated[str, typer.Option("--metric", "-m", help="The metric to rank by, e.g. test_f1.")],
    direction: Annotated[
        Direction, typer.Option(help="auto: min for losses, errors and latencies, else max.")
    ] = Direction.auto,
    filter_: Annotated[
        str, typer.Option("--filter", "-f", help="MLflow search filter, e.g. \"params.model = 'rf'\".")
    ] = "",
    top: Annotated[int, typer.Option("--top", "-n", min=1, help="Number of runs to show.")] = 1,
    output: OutputOption = Output.table,
) -> None:
    """Show the best runs of experiments by one metric.

    Ignores runs without a finite value of the metric. Exit code 1 if no run remains.

        mlflowops best-run iris-classification --metric test_accuracy --top 3
    """
    client = tracking.client()
    with tracking.server_errors("best-run"):
        ids = [_experiment_id(client, name) for name in experiments]
        order = _order(metric, direction)
        runs = list(islice(_ranked(client, ids, metric, order, filter_), top))
    if not runs:
        wrong = f"no run of {', '.join(experiments)} has a finite value"
        raise OpsError(f"--metric {metric}", wrong, "check its spelling and the --filter", exit_code=1)
    if output is Output.json:
        console.as_json([_report(run, metric) for run in runs])
    else:
        _table(runs, metric)


def _experiment_id(client: "MlflowClient", name: str) -> str:
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        raise OpsError(f"experiment {name}", "does not exist", "list them with `mlflow experiments search`")
    return str(experiment.experiment_id)


def _order(metric: str, direction: Direction) -> str:
    if direction is Direction.auto:
        return "ASC" if lower_is_better(metric) else "DESC"
    return "ASC" if direction is Direction.min else "DESC"


def _ranked(
    client: "MlflowClient", experiments: list[str], metric: str, order: str, filter_: str
) -> Iterator["Run"]:
    """Yield runs best first. MLflow sorts NaN and absent values last, infinity first: both are left out."""
    token = None
    while True:
        page = client.search_runs(
            experiments,
            filter_,
            max_results=PAGE,
            order_by=[f"metrics.`{metric}` {order}", "attributes.start_time ASC"],
            page_token=token,
        )
        yield from (run for run in page if is_number(run.data.metrics.get(metric)))
        token = page.token
        if not token or math.isnan(page[-1].data.metrics.get(metric, math.nan)):
            return


def _report(run: "Run", metric: str) -> dict[str, Any]:
    return {
        "run_id": run.info.run_id,
        "run_name": run.info.run_name,
        "experiment_id": run.info.experiment_id,
        metric: run.data.metrics[metric],
        "status": run.info.status,
        "start_time": run.info.start_time,
        "artifact_uri": run.info.artifact_uri,
        "metrics": run.data.metrics,
        "params": run.data.params,
    }


def _table(runs: list["Run"], metric: str) -> None:
    rows = [
        [
            run.info.run_id,
            run.info.run_name or "",
            f"{run.data.metrics[metric]:g}",
            ", ".join(f"{key}={value}" for key, value in sorted(run.data.params.items())),
        ]
        for run in runs
    ]
    console.table(["run", "name", metric, "params"], rows)
