"""Runs queries that only a server pod can answer, with the chart's program `query`.

They need the right to `create pods/exec`.
"""

from typing import TYPE_CHECKING

from mlflowops import query

if TYPE_CHECKING:
    from mlflowops.kube import ExecOutput, Json, Reader

CONTAINER = "mlflow"


def run_query(
    reader: "Reader", pod: "Json", seconds: float | None, question: str, *arguments: str
) -> "ExecOutput":
    """Run the program `query` in the server container of a pod.

    Args:
        reader: Reader of the namespace of the pod.
        pod: The pod object.
        seconds: Time limit; None for no limit.
        question: Name of the query.
        arguments: Its arguments.

    Returns:
        What the program printed; `query.answer` finds the answer in it.

    Raises:
        ApiError: The account may not exec into the pod.
    """
    from mlflowops import kube

    return kube.exec_in_pod(reader.api, pod, CONTAINER, query.command(question, *arguments), seconds)
