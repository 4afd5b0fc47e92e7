"""What the UI and programs read: searches in a small experiment, histories, the registry, traces."""

from benchmarks.cases.case import API, Case, Request, get, post
from benchmarks.load.ids import HISTORIES, SMALL, run_id

AJAX = "/ajax-api/2.0/mlflow/"
LONG = [run_id("history", number) for number in range(1, HISTORIES + 1)]


def _search_runs() -> list[Request]:
    return [post(f"{API}runs/search", experiment_ids=[str(SMALL.experiment_id)], max_results=100)]


def _history() -> list[Request]:
    return [get(f"{API}metrics/get-history", run_id=run, metric_key="loss", max_results=1000) for run in LONG]


def _bulk_history() -> list[Request]:
    chart = {"metric_key": "loss", "max_results": 320}
    return [get(f"{AJAX}metrics/get-history-bulk-interval", run_ids=LONG, **chart)]


def _models() -> list[Request]:
    return [get(f"{API}registered-models/search", max_results=100)]


def _versions() -> list[Request]:
    filters = [f"name = 'model-{number}'" for number in range(1, 101)]
    return [get(f"{API}model-versions/search", filter=each, max_results=100) for each in filters]


def _versions_by_tag() -> list[Request]:
    filters = [f"tags.team = 't{number}'" for number in range(100)]
    return [get(f"{API}model-versions/search", filter=each, max_results=100) for each in filters]


def _experiments() -> list[Request]:
    return [post(f"{API}experiments/search", max_results=100)]


def _logged_models() -> list[Request]:
    return [post(f"{API}logged-models/search", experiment_ids=[str(SMALL.experiment_id)], max_results=100)]


def _traces() -> list[Request]:
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": str(SMALL.experiment_id)}}
    return [post("/api/3.0/mlflow/traces/search", locations=[place], max_results=100)]


CASES = (
    Case("search 100 runs", "searches", _search_runs, {1: "both", 8: "every", 40: "both"}, seconds=4),
    Case("metric history, 1000 points", "reads", _history, {8: "both"}),
    Case("bulk history, 10 runs", "reads", _bulk_history, {8: "both"}),
    Case("registered models", "reads", _models, {8: "both"}),
    Case("versions of a model", "reads", _versions, {8: "both"}),
    Case("versions with a tag", "reads", _versions_by_tag, {8: "both"}),
    Case("experiments", "reads", _experiments, {8: "both"}),
    Case("logged models", "reads", _logged_models, {8: "both"}),
    Case("traces", "reads", _traces, {8: "both"}),
)
