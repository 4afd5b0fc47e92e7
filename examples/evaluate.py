"""Evaluate a model on a test set with mlflow.models.evaluate: metrics, curves and a confusion matrix.

MLFLOW_TRACKING_URI=http://localhost:5000 python examples/evaluate.py
"""

import os

import mlflow
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

mlflow.set_tracking_uri(os.environ.get("MLFLOW_TRACKING_URI", "http://mlflow.ml.svc.cluster.local"))
mlflow.set_experiment("cancer-evaluation")

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=42)

with mlflow.start_run() as run:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X_train, y_train)
    logged = mlflow.sklearn.log_model(model, name="model", input_example=X_test.head(2))
    result = mlflow.models.evaluate(
        logged.model_uri,
        X_test.assign(malignant=y_test),
        targets="malignant",
        model_type="classifier",
        evaluators="default",
        evaluator_config={"log_explainer": False},  # explanations need the package shap
    )

print(f"accuracy {result.metrics['accuracy_score']:.3f}, ROC AUC {result.metrics['roc_auc']:.3f}")
print(f"Run ID: {run.info.run_id}")
