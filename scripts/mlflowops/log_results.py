"""`mlflowops log-results`: logs the results file of a training."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlflowops import business, console, results, tracking
from mlflowops.errors import OpsError
from mlflowops.model_file import register
from mlflowops.output import Output, OutputOption
from mlflowops.results import Results

if TYPE_CHECKING:
    from mlflow import MlflowClient

Paths = list[Path]
Texts = list[str]


def log_results(
    path: Annotated[Path, typer.Argument(help="The results file.")] = Path("artifacts/training_results.json"),
    experiment: Annotated[
        str,
        typer.Option(
            "--experiment",
            "-e",
            envvar="MLFLOW_EXPERIMENT_NAME",
            help="Experiment; created if it does not exist.",
        ),
    ] = "Default",
    run_name: Annotated[str, typer.Option(help="Name of the run; default: the file's name.")] = "",
    param: Annotated[Texts | None, typer.Option(help="Additional parameter, key=value; repeatable.")] = None,
    artifact: Annotated[Paths | None, typer.Option(help="Additional file or folder; repeatable.")] = None,
    benefit: Annotated[Texts | None, typer.Option(help="Benefit of one case of a cell: tp=690.")] = None,
    cost: Annotated[Texts | None, typer.Option(help="Cost of one case of a cell: fp=50.")] = None,
    business_file: Annotated[
        Path | None,
        typer.Option("--business", help="YAML file of business metrics: `biz_net: {tp: 690, fp: -50}`."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="MLflow model folder, or a pickle or joblib file of scikit-learn.")
    ] = None,
    register_as: Annotated[str, typer.Option("--register", help="Register --model under this name.")] = "",
    output: OutputOption = Output.table,
) -> None:
    """Log the results file of a training: metrics, params, artifacts and, if asked, the model.

    Metrics of cross-validation get the prefix cv_, those of the test set test_. Business metrics come
    from the confusion matrix. An artifact that cannot be stored causes a warning; a requested
    model that cannot be stored is an error.

        mlflowops log-results -e churn --benefit tp=690 --cost fp=50 --model model.pkl --register churn
    """
    found = results.read(path)
    worth = business.from_options(benefit or [], cost or []) | (
        business.from_file(business_file) if business_file else {}
    )
    found.metrics.update(business.metrics(path, found.confusion_matrix, worth))
    found.params.update(_pair(text) for text in param or [])
    _check_model(model, register_as)
    client = tracking.client()
    with tracking.server_errors("log-results"):
        run = _log(client, experiment, run_name or path.stem, found)
        warnings = _artifacts(client, run, [path, *(artifact or [])])
        version = register(client, run, model, register_as) if model else None
        client.set_terminated(run)
    report = {"run_id": run, "experiment": experiment, "metrics": found.metrics, "params": found.params}
    _show(report | {"model_version": version, "warnings": warnings}, output)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise OpsError(f"--param {text}", "not key=value", "write for example --param run_type=nightly")
    return key, value


def _check_model(model: Path | None, register_as: str) -> None:
    if register_as and model is None:
        raise OpsError(f"--register {register_as}", "there is no model to register", "add --model PATH")
    if model is not None and not model.exists():
        raise OpsError(f"--model {model}", "no such file", "give the file that the training wrote")


def _log(client: "MlflowClient", experiment: str, name: str, found: Results) -> str:
    from mlflow.entities import Metric, Param

    known = client.get_experiment_by_name(experiment)
    experiment_id = known.experiment_id if known else client.create_experiment(experiment)
    run = str(client.create_run(experiment_id, run_name=name).info.run_id)
    now = int(time.time() * 1000)
    client.log_batch(
        run,
        metrics=[
            Metric(key, value, now, step)
            for key, values in found.metrics.items()
            for step, value in enumerate(values)
        ],
        params=[Param(key, value) for key, value in found.params.items()],
    )
    return run


def _artifacts(client: "MlflowClient", run: str, paths: Paths) -> list[str]:
    """Store what can be stored. The numbers are safe already, so a file is worth a warning, not a failure."""
    warnings = []
    for path in paths:
        try:
            if path.is_dir():
                client.log_artifacts(run, str(path), path.name)
            else:
                client.log_artifact(run, str(path))
        except Exception as error:
            warnings.append(f"artifact {path} not stored: {error}")
            console.err.print(f"warning: {warnings[-1]}", style="yellow", markup=False, soft_wrap=True)
    return warnings


def _show(report: dict[str, Any], output: Output) -> None:
    if output is Output.json:
        console.as_json(report)
        return
    rows = [[name, f"{values[-1]:g}"] for name, values in sorted(report["metrics"].items())]
    console.table(["metric", "value"], rows, title=f"{report['experiment']}: run {report['run_id']}")
    if report["model_version"]:
        console.out.print(f"registered version {report['model_version']}", highlight=False)
