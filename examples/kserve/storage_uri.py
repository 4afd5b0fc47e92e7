"""Print where the files of a registered model are in the artifact store: the storageUri for KServe.

    python examples/kserve/storage_uri.py models:/iris-classifier@champion s3://mlflow/artifacts

The second word is the server's artifact store, as the chart's artifactStore has it: s3://<bucket>/<path>,
gs://<bucket>/<path> or wasbs://<container>@<account>.blob.core.windows.net/<path>.
"""

import os
import sys
from urllib.parse import urlsplit


def storage_uri(address: str, store: str) -> str:
    """Return the address of a model's files as KServe reads it.

    Args:
        address: What MLflow says. With artifactStore.mode `proxied` it begins with mlflow-artifacts: and
            not with the store's address.
        store: The server's artifact store.
    """
    found = address.replace("mlflow-artifacts:", store.rstrip("/"), 1)
    parts = urlsplit(found)
    if parts.scheme in ("wasbs", "wasb"):  # KServe reads Azure's Blob Storage by its own address only
        return f"https://{parts.hostname}/{parts.username}{parts.path}"
    if parts.scheme in ("s3", "gs"):
        return found
    sys.exit(
        f"{found}: KServe does not read {parts.scheme or 'a folder'}; use S3, Google or Azure Blob Storage."
    )


def main() -> None:
    """Ask MLflow where the model is, and print the address."""
    import mlflow
    from mlflow.store.artifact.models_artifact_repo import ModelsArtifactRepository

    mlflow.set_tracking_uri(os.environ.get("MLFLOW_TRACKING_URI", "http://mlflow.ml.svc.cluster.local"))
    model, store = sys.argv[1:]
    print(storage_uri(ModelsArtifactRepository.get_underlying_uri(model), store))


if __name__ == "__main__":
    main()
