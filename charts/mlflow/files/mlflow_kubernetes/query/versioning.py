"""Does the bucket of the artifacts keep old versions?"""

import os

from mlflow_kubernetes.stores.artifact_root import artifact_root
from mlflow_kubernetes.stores.s3 import S3
from mlflow_kubernetes.stores.store_factory import open_store


def answer() -> dict[str, str]:
    """Return the name of the bucket, empty if artifacts are not in S3, and the status of its versioning."""
    store = open_store(os.environ, artifact_root(os.environ))
    if not isinstance(store, S3):
        return {"bucket": "", "status": ""}
    return {"bucket": store.bucket, "status": store.versioning()}
