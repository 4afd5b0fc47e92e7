"""An Airflow 3 DAG whose runs are experiments in MLflow: train, then register what is good enough.

Copy it into the DAGs folder. Workers need what examples/airflow/requirements.in names. Inside the cluster
nothing is to be set; elsewhere set MLFLOW_TRACKING_URI.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from airflow.sdk import dag, get_current_context, task

# MLflow takes seconds to import, and Airflow parses this file all the time: only tasks import it.
TRACKING_URI = os.environ.get("MLFLOW_TRACKING_URI", "http://mlflow.ml.svc.cluster.local")
MODEL = "iris-airflow"
# A token of the worker, where a login needs one: examples/service-accounts/airflow-values.yaml.
TOKEN = Path("/var/run/mlflow/token")


def log_in() -> None:
    """Read the token, which Kubernetes renews: a task that lasts longer reads it again."""
    if TOKEN.exists():
        os.environ["MLFLOW_TRACKING_TOKEN"] = TOKEN.read_text()


@dag(
    dag_id="mlflow_training",
    schedule="@daily",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    params={"n_estimators": 20, "threshold": 0.9},
    tags=["mlflow"],
)
def mlflow_training() -> None:
    """Two tasks, of which the second sees only what the first has logged."""

    @task
    def train() -> str:
        """Fit a forest and log it; return the run's id."""
        import mlflow
        from sklearn.datasets import load_iris
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.model_selection import train_test_split

        context = get_current_context()
        trees = context["params"]["n_estimators"]
        log_in()
        mlflow.set_tracking_uri(TRACKING_URI)
        # One experiment for the DAG; which of its runs a run in MLflow belongs to, the tag says.
        mlflow.set_experiment("airflow-mlflow_training")
        X_train, X_test, y_train, y_test = train_test_split(*load_iris(return_X_y=True), random_state=42)
        with mlflow.start_run(tags={"airflow.dag_run": context["run_id"]}) as run:
            model = RandomForestClassifier(n_estimators=trees, random_state=42).fit(X_train, y_train)
            mlflow.log_param("n_estimators", trees)
            mlflow.log_metric("accuracy", model.score(X_test, y_test))
            trusted = ["sklearn.tree._tree.Tree"]
            mlflow.sklearn.log_model(
                model, name="model", input_example=X_test[:2], skops_trusted_types=trusted
            )
        return run.info.run_id

    @task
    def register(trained: str) -> None:
        """Make the run's model a version of MODEL and its champion, unless it is too weak."""
        import mlflow
        from airflow.sdk.exceptions import AirflowFailException

        log_in()
        mlflow.set_tracking_uri(TRACKING_URI)
        client = mlflow.MlflowClient()
        accuracy = client.get_run(trained).data.metrics["accuracy"]
        threshold = get_current_context()["params"]["threshold"]
        if accuracy < threshold:  # trying again would not help
            raise AirflowFailException(f"accuracy {accuracy:.3f} is below {threshold}")
        version = mlflow.register_model(f"runs:/{trained}/model", MODEL)
        client.set_registered_model_alias(MODEL, "champion", version.version)

    register(train())


mlflow_training()
