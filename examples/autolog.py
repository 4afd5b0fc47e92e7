"""Let MLflow log params, metrics and the model by itself: one line before the training.

MLFLOW_TRACKING_URI=http://localhost:5000 python examples/autolog.py
"""

import os

import mlflow
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

mlflow.set_tracking_uri(os.environ.get("MLFLOW_TRACKING_URI", "http://mlflow.ml.svc.cluster.local"))
mlflow.set_experiment("iris-autolog")
mlflow.sklearn.autolog()

X, y = load_iris(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=42)

with mlflow.start_run() as run:
    model = LogisticRegression(C=0.5, max_iter=200).fit(X_train, y_train)
    # Autologging measures the training set; a score after the training is logged under its variable's name.
    model.score(X_test, y_test)

print(f"Run ID: {run.info.run_id}")
