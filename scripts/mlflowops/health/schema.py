"""Checks that the database has the schema that the running image needs.

Only the database knows its revision and only the image its newest one, and no API of MLflow has either.
So a server pod is asked, with the chart's own Python, which imports no MLflow and takes a moment.
"""

import json

from mlflowops.health import exec_query
from mlflowops.health.check import Check, green, red, unknown
from mlflowops.health.release import Release
from mlflowops.kube import ApiError, Reader


def schema(release: Release, reader: Reader) -> Check:
    """Check that both revisions are equal, as a server pod reads them."""
    pod = release.ready_pod
    if pod is None:
        return unknown("schema", "no pod is ready to be asked", "see the pods")
    try:
        answer = exec_query.run(reader, pod, "revision")
    except ApiError as error:
        return exec_query.forbidden("schema", pod, error)
    return evaluate(answer, f"`kubectl rollout restart -n {release.namespace} deployment/{release.name}`")


def evaluate(answer: str, restart: str) -> Check:
    """Evaluate the answer of a pod."""
    try:
        revisions = json.loads(answer)
    except ValueError:
        detail = " ".join(answer.split())[-200:] or "no answer"
        return red("schema", f"the pod's check failed: {detail}", "is the database up? see its line")
    found, wanted = revisions["found"] or "no schema", revisions["wanted"]
    if found == wanted:
        return green("schema", f"revision {found}, the newest that the image knows")
    if revisions["known"] or revisions["found"] is None:
        detail = f"the database is at {found}, the image needs {wanted}"
        return red("schema", detail, f"{restart}: a starting pod migrates")
    detail = f"the database is at {found}, which the image (newest {wanted}) does not know"
    return red(
        "schema", detail, "run the image version that made it, or newer: these pods cannot start again"
    )
