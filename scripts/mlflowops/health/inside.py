"""Questions that only a server pod can answer, asked with the chart's own Python in it.

That needs the right to `create pods/exec`; an account without it gets `unknown` for these lines.
"""

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream

from mlflowops import query
from mlflowops.health.check import Check, unknown
from mlflowops.health.objects import Json


def ask(api: client.ApiClient, pod: Json, question: str, seconds: float) -> str:
    """Ask in the pod's server container; the answer as JSON, or else all that was printed."""
    printed = str(
        stream(
            client.CoreV1Api(api).connect_get_namespaced_pod_exec,
            pod["metadata"]["name"],
            pod["metadata"]["namespace"],
            container=pod["spec"]["containers"][0]["name"],
            command=query.command(question),
            stdout=True,
            stderr=True,
            stdin=False,
            tty=False,
            _request_timeout=seconds,
        )
    )
    return query.answer(printed)


def forbidden(name: str, pod: Json, error: ApiException) -> Check:
    """Return the check for an account without the right to ask."""
    detail = f"may not exec into {pod['metadata']['name']} ({error.reason})"
    return unknown(name, detail, "use an account that may `create pods/exec`")
