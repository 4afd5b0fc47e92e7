import os
from getpass import getpass

os.environ["MLFLOW_TRACKING_USERNAME"] = "ana"
os.environ["MLFLOW_TRACKING_PASSWORD"] = getpass("Password: ")
# Only for an authority of your own, which the laptop does not know:
os.environ["MLFLOW_TRACKING_SERVER_CERT_PATH"] = "local-ca.crt"

import mlflow

mlflow.set_tracking_uri("https://mlflow.example.com")
mlflow.set_experiment("notebooks")

with mlflow.start_run() as run:
    mlflow.log_metric("accuracy", 0.97)
    mlflow.log_text("as good as it gets", "note.txt")

print(mlflow.artifacts.load_text(f"{run.info.artifact_uri}/note.txt"))
