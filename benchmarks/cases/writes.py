"""What a training job sends, and the read of one run."""

from benchmarks.cases.case import API, NUMBER, Case, Request, get, post
from benchmarks.load.ids import SMALL, WRITES, run_id

RUNS = [run_id("writes", number) for number in range(1, 1001)]
NOW = 1_764_000_000_000


def _get_run() -> list[Request]:
    return [get(f"{API}runs/get", run_id=run_id(SMALL.name, number)) for number in range(1, 1001)]


def _create_run() -> list[Request]:
    body = {
        "experiment_id": str(WRITES.experiment_id),
        "user_id": "benchmark",
        "start_time": NOW,
        "run_name": f"run-{NUMBER}",
        "tags": [{"key": "mlflow.user", "value": "benchmark"}, {"key": "team", "value": "t1"}],
    }
    return [post(f"{API}runs/create", **body)]


def _log_metric() -> list[Request]:
    point = {"key": "loss", "value": 0.25, "timestamp": NOW, "step": f"1{NUMBER}"}
    return [post(f"{API}runs/log-metric", run_id=run, **point) for run in RUNS]


def _log_batch() -> list[Request]:
    points = [{"key": f"m{key}", "value": 0.5, "timestamp": NOW, "step": f"1{NUMBER}"} for key in range(20)]
    return [post(f"{API}runs/log-batch", run_id=run, metrics=points) for run in RUNS]


def _log_param() -> list[Request]:
    return [post(f"{API}runs/log-parameter", run_id=run, key=f"p{NUMBER}", value="0.001") for run in RUNS]


def _set_tag() -> list[Request]:
    return [post(f"{API}runs/set-tag", run_id=run, key="stage", value=f"v{NUMBER}") for run in RUNS]


def _update_run() -> list[Request]:
    return [post(f"{API}runs/update", run_id=run, status="FINISHED", end_time=f"1{NUMBER}") for run in RUNS]


MANY = {8: "every", 100: "both"}
ALL = {1: "both", 8: "every", 40: "both", 100: "both"}

CASES = (
    Case("get run", "writes", _get_run, ALL),
    Case("create run", "writes", _create_run, ALL),
    Case("log metric", "writes", _log_metric, MANY),
    Case("log batch of 20", "writes", _log_batch, ALL),
    Case("set tag", "writes", _set_tag, MANY),
    Case("log param", "writes", _log_param, MANY),
    Case("update run", "writes", _update_run, MANY),
)
