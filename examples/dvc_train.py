"""Train on a file that DVC versions, and tag the run with the checksum of that version.

MLFLOW_TRACKING_URI=http://localhost:5000 python examples/dvc_train.py data/iris.csv
"""

import os
import sys
from pathlib import Path

import mlflow
import pandas as pd
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

mlflow.set_tracking_uri(os.environ.get("MLFLOW_TRACKING_URI", "http://mlflow.ml.svc.cluster.local"))
mlflow.set_experiment("iris-dvc")

data = Path(sys.argv[1])
# `dvc add data/iris.csv` writes data/iris.csv.dvc: outs: [{md5: ..., path: iris.csv}]
pointer = yaml.safe_load(data.with_name(f"{data.name}.dvc").read_text())["outs"][0]

table = pd.read_csv(data)
X_train, X_test, y_train, y_test = train_test_split(
    table.drop(columns="target"), table["target"], random_state=42
)

with mlflow.start_run(tags={"dvc.md5": pointer["md5"], "dvc.path": str(data)}) as run:
    mlflow.log_input(
        mlflow.data.from_pandas(table, source=str(data), digest=pointer["md5"]), context="training"
    )
    model = LogisticRegression(max_iter=500).fit(X_train, y_train)
    mlflow.log_metric("test_accuracy", model.score(X_test, y_test))

print(f"Run ID: {run.info.run_id}")
