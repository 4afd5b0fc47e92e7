"""Train a random forest on iris, track the run, register the model and name it champion.

MLFLOW_TRACKING_URI=http://localhost:5000 python examples/track.py
"""

import os

import mlflow
import mlflow.sklearn
from mlflow import MlflowClient
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

mlflow.set_tracking_uri(os.environ.get("MLFLOW_TRACKING_URI", "http://mlflow.ml.svc.cluster.local"))
mlflow.set_experiment("iris-classification")

with mlflow.start_run() as run:
    X, y = load_iris(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)

    params = {"n_estimators": 100, "max_depth": 10, "random_state": 42}
    model = RandomForestClassifier(**params).fit(X_train, y_train)

    mlflow.log_params(params)
    mlflow.log_metric("train_accuracy", model.score(X_train, y_train))
    mlflow.log_metric("test_accuracy", model.score(X_test, y_test))
    logged = mlflow.sklearn.log_model(
        model,
        name="model",
        # The input example gives the model a signature, so that a server can check what it is sent.
        input_example=X_test[:2],
        # MLflow saves scikit-learn models with skops, not pickle: a forest's parts must be trusted by name.
        skops_trusted_types=["sklearn.tree._tree.Tree"],
        registered_model_name="iris-classifier",
    )

# An alias is a name that moves: models:/iris-classifier@champion loads this version from now on.
MlflowClient().set_registered_model_alias("iris-classifier", "champion", logged.registered_model_version)
print(f"Run ID: {run.info.run_id}")
