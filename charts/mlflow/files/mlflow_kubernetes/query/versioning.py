"""Does the bucket of the artifacts keep old versions?"""

import os

from mlflow_kubernetes.stores.artifacts import artifacts
from mlflow_kubernetes.stores.objects import open_store
from mlflow_kubernetes.stores.s3 import S3


def answer() -> dict[str, str]:
    """Return the name of the bucket, empty if artifacts are not in S3, and the status of its versioning."""
    store = open_store(os.environ, artifacts(os.environ))
    if not isinstance(store, S3):
        return {"bucket": "", "status": ""}
    return {"bucket": store.bucket, "status": store.versioning()}
