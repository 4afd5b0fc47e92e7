"""Runs a query in a server pod for a check.

That needs the right to `create pods/exec`; an account without it gets `unknown` for these lines.
"""

from mlflowops import query, server_pod
from mlflowops.health.check import Check, unknown
from mlflowops.kube import ApiError, Json, Reader


def run(reader: Reader, pod: Json, question: str) -> str:
    """Return the answer as JSON, or all that was printed if there is no answer."""
    printed = server_pod.run_query(reader, pod, reader.seconds, question)
    return query.answer(printed.combined)


def forbidden(name: str, pod: Json, error: ApiError) -> Check:
    """Return the check for an account that may not exec into the pod."""
    detail = f"may not exec into {pod['metadata']['name']} ({error.reason})"
    return unknown(name, detail, "use an account that may `create pods/exec`")
