"""Does the database have the schema that the running image needs?

Only the database knows its revision and only the image its newest one, and no API of MLflow tells either.
So a server pod is asked, with the chart's own Python, which imports no MLflow and takes a moment.
That needs the right to `create pods/exec`; an account without it gets `unknown` for this one line.
"""

import json

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream

from mlflowops import kube
from mlflowops.health.check import Check, green, red, unknown
from mlflowops.health.release import Json, Release

ASK = """
import json, os, sys
sys.path.insert(0, "/opt/mlflow-kubernetes")
from schema_database import connect
from schema_revisions import Revisions
revisions = Revisions.installed()
found = connect(os.environ["MLFLOW_BACKEND_STORE_URI"]).revision()
print(json.dumps({"found": found, "wanted": revisions.head, "known": found in revisions.known}))
"""


def schema(release: Release, context: str | None, seconds: float) -> Check:
    """Compare the two revisions, as a server pod sees them."""
    pod = next((pod for pod in release.pods if _is_ready(pod)), None)
    if pod is None:
        return unknown("schema", "no pod is ready to be asked", "see the pods")
    try:
        answer = _ask(pod, context, seconds)
    except ApiException as error:
        detail = f"may not exec into {pod['metadata']['name']} ({error.reason})"
        return unknown("schema", detail, "use an account that may `create pods/exec`")
    return judge(answer, f"`kubectl rollout restart -n {release.namespace} deployment/{release.name}`")


def judge(answer: str, restart: str) -> Check:
    """What a pod's answer means."""
    try:
        said = json.loads(answer)
    except ValueError:
        detail = " ".join(answer.split())[-200:] or "no answer"
        return red("schema", f"the pod cannot tell: {detail}", "is the database up? see its line")
    found, wanted = said["found"] or "no schema", said["wanted"]
    if found == wanted:
        return green("schema", f"revision {found}, the newest that the image knows")
    if said["known"] or said["found"] is None:
        detail = f"the database is at {found}, the image needs {wanted}"
        return red("schema", detail, f"{restart}: a starting pod migrates")
    detail = f"the database is at {found}, which the image (newest {wanted}) does not know"
    return red(
        "schema", detail, "run the image version that made it, or newer: these pods cannot start again"
    )


def _ask(pod: Json, context: str | None, seconds: float) -> str:
    """Run ASK in the pod's server container; all that it printed."""
    core = client.CoreV1Api(kube.connect(context))
    return str(
        stream(
            core.connect_get_namespaced_pod_exec, pod["metadata"]["name"], pod["metadata"]["namespace"],
            container=pod["spec"]["containers"][0]["name"], command=["python", "-c", ASK],
            stdout=True, stderr=True, stdin=False, tty=False, _request_timeout=seconds,
        )
    )  # fmt: skip


def _is_ready(pod: Json) -> bool:
    conditions = {each["type"]: each["status"] for each in pod.get("status", {}).get("conditions", [])}
    return conditions.get("Ready") == "True"
