import mlflow

mlflow.set_tracking_uri("http://localhost:5000")
mlflow.set_experiment("notebooks")

with mlflow.start_run() as run:
    mlflow.log_metric("accuracy", 0.97)
    mlflow.log_text("as good as it gets", "note.txt")

print(mlflow.artifacts.load_text(f"{run.info.artifact_uri}/note.txt"))
