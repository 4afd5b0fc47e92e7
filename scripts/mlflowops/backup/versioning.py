"""Asks a server pod whether the bucket of the artifacts keeps old versions; it has the credentials."""

import json

from mlflowops import query, server_pod
from mlflowops.errors import OpsError
from mlflowops.kube import Json, Reader

SECONDS = 120


def read_versioning(reader: Reader, release: str) -> Json:
    """Return the name of the bucket and the status of its versioning.

    Raises:
        OpsError: No server pod is running, or the query failed.
    """
    deployment = reader.get("apps/v1", "deployments", release)
    pods = reader.pods(deployment["spec"]["selector"]["matchLabels"], "status.phase=Running")
    if not pods:
        raise OpsError(f"deployment/{release}", "no pod runs that could look", "scale it to 1")
    printed = server_pod.run_query(reader, pods[0], SECONDS, "versioning")
    try:
        found: Json = json.loads(query.answer(printed.stdout))
    except ValueError as error:
        last = (printed.stderr.strip().splitlines() or ["no answer"])[-1]
        raise OpsError("object store", last, "see artifactStore in the values", 1) from error
    return found
