"""Photograph MLflow's UI with some runs of a server: `make ui-picture`."""

import argparse
import itertools
import json
from pathlib import Path

import chromium
import mlflow
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.model_selection import train_test_split

from testbed import paths

PICTURE = paths.REPO / "docs/images/ui.png"
EXPERIMENT = "digits"
METRICS, PARAMS = ("accuracy", "f1", "log_loss"), ("n_estimators", "max_depth")
WIDTH, HEIGHT = 1440, 800
COLUMNS = [*(f"metrics.`{each}`" for each in METRICS), *(f"params.`{each}`" for each in PARAMS)]
TREES, DEPTHS = (5, 20, 100), (3, 6, 12)


def arguments() -> argparse.Namespace:
    """Return the address of the server and the file of the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", help="tracking URI of a server that the runs are logged to")
    parser.add_argument("--output", type=Path, default=PICTURE)
    return parser.parse_args()


def log_runs() -> str:
    """Train random forests of nine sizes, log each as a run, and return the experiment's id."""
    experiment = mlflow.set_experiment(EXPERIMENT)
    features, labels = load_digits(return_X_y=True)
    train, test, train_labels, test_labels = train_test_split(features, labels, test_size=0.4, random_state=1)
    for trees, depth in itertools.product(TREES, DEPTHS):
        forest = RandomForestClassifier(n_estimators=trees, max_depth=depth, random_state=0)
        forest.fit(train, train_labels)
        found = forest.predict(test)
        with mlflow.start_run(run_name=f"forest-{trees}-{depth}"):
            mlflow.log_params({"n_estimators": trees, "max_depth": depth})
            mlflow.log_metric("accuracy", accuracy_score(test_labels, found))
            mlflow.log_metric("f1", f1_score(test_labels, found, average="macro"))
            mlflow.log_metric("log_loss", log_loss(test_labels, forest.predict_proba(test)))
    return str(experiment.experiment_id)


def settings(experiment: str) -> dict[str, str]:
    """Return what the UI stores in the browser: the columns of the table, and the assistant closed."""
    state = {"selectedColumns": COLUMNS, "orderByKey": "metrics.`accuracy`", "orderByAsc": False}
    return {
        f'MLflowLocalStorage-1.1-ExperimentPage-["{experiment}"]-ReactComponentState': json.dumps(state),
        "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
        "mlflow.assistant.panelOpen_v1": "false",
    }


def main() -> None:
    """Log runs, open their table, photograph it."""
    chosen = arguments()
    mlflow.set_tracking_uri(chosen.server)
    experiment = log_runs()
    page = f"{chosen.server}/#/experiments/{experiment}/runs"
    last = f"forest-{TREES[-1]}-{DEPTHS[-1]}"
    with chromium.browser(WIDTH, HEIGHT) as driver:
        driver.get(f"{chosen.server}/health")
        for key, value in settings(experiment).items():
            driver.execute_script("localStorage.setItem(arguments[0], arguments[1])", key, value)
        png = chromium.photograph(
            driver, page, lambda it: last in it.page_source, f"no run {last} in the table"
        )
    chosen.output.write_bytes(chromium.small(png))
    print(f"{chosen.output}: {chosen.output.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
