"""Photograph MLflow's UI with some runs of a server: `make ui-picture`."""

import argparse
import itertools
from pathlib import Path

import chromium
import mlflow
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.model_selection import train_test_split

from testbed import paths

PICTURE = paths.REPO / "docs/images/ui.png"
EXPERIMENT = "iris-classification"
WIDTH, HEIGHT = 1280, 640
TREES, DEPTHS = (5, 20, 100), (1, 2, 4)


def arguments() -> argparse.Namespace:
    """Return the address of the server and the file of the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", help="tracking URI of a server that the runs are logged to")
    parser.add_argument("--output", type=Path, default=PICTURE)
    return parser.parse_args()


def log_runs() -> str:
    """Train random forests of nine sizes, log each as a run, and return the experiment's id."""
    experiment = mlflow.set_experiment(EXPERIMENT)
    features, labels = load_iris(return_X_y=True)
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


def main() -> None:
    """Log runs, open their table, photograph it."""
    chosen = arguments()
    mlflow.set_tracking_uri(chosen.server)
    experiment = log_runs()
    page = f"{chosen.server}/#/experiments/{experiment}/runs"
    last = f"forest-{TREES[-1]}-{DEPTHS[-1]}"
    with chromium.browser(WIDTH, HEIGHT) as driver:
        png = chromium.photograph(
            driver, page, lambda it: last in it.page_source, f"no run {last} in the table", HEIGHT
        )
    chosen.output.write_bytes(chromium.small(png))
    print(f"{chosen.output}: {chosen.output.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
