"""Try several settings as children of one parent run, and give the parent the best result.

MLFLOW_TRACKING_URI=http://localhost:5000 python examples/nested_runs.py
"""

import os

import mlflow
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

mlflow.set_tracking_uri(os.environ.get("MLFLOW_TRACKING_URI", "http://mlflow.ml.svc.cluster.local"))
mlflow.set_experiment("wine-search")

X, y = load_wine(return_X_y=True)

with mlflow.start_run(run_name="search") as parent:
    scores = {}
    for n_estimators, max_depth in [(10, 2), (20, 4), (40, 8)]:
        with mlflow.start_run(run_name=f"{n_estimators} trees", nested=True):
            model = RandomForestClassifier(n_estimators=n_estimators, max_depth=max_depth, random_state=42)
            folds = cross_val_score(model, X, y, cv=3)
            mlflow.log_params({"n_estimators": n_estimators, "max_depth": max_depth})
            # One step per fold draws the spread; the mean is what to rank by.
            for step, score in enumerate(folds):
                mlflow.log_metric("cv_accuracy_fold", score, step=step)
            mlflow.log_metric("cv_accuracy", folds.mean())
            scores[n_estimators, max_depth] = folds.mean()

    n_estimators, max_depth = max(scores, key=lambda setting: scores[setting])
    mlflow.log_params({"best_n_estimators": n_estimators, "best_max_depth": max_depth})
    mlflow.log_metric("cv_accuracy", scores[n_estimators, max_depth])

print(f"Run ID: {parent.info.run_id}")
