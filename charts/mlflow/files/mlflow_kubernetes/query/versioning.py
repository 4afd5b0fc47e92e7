"""Does the bucket of the artifacts keep old versions?"""

import os
from urllib.parse import urlsplit

from mlflow_kubernetes.stores.objects import artifacts, s3_client


def answer() -> dict[str, str]:
    """Return the name of the bucket, empty if artifacts are not in S3, and the status of its versioning."""
    address = urlsplit(artifacts(os.environ))
    if address.scheme != "s3":
        return {"bucket": "", "status": ""}
    found = s3_client(os.environ).get_bucket_versioning(Bucket=address.netloc)
    return {"bucket": address.netloc, "status": found.get("Status", "")}
