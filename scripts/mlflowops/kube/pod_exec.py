"""Runs commands in containers, as `kubectl exec` does. Needs the right to `create pods/exec`."""

from dataclasses import dataclass

from kubernetes import client
from kubernetes.stream import stream

from mlflowops.kube.api_errors import ApiError
from mlflowops.kube.reader import Json


@dataclass(frozen=True)
class ExecOutput:
    """What a command printed.

    Attributes:
        stdout: Standard output.
        stderr: Standard error.
        combined: Both, in the order of arrival.
    """

    stdout: str
    stderr: str
    combined: str


def exec_in_pod(
    api: client.ApiClient, pod: Json, container: str, command: list[str], seconds: float | None
) -> ExecOutput:
    """Run a command in a container of a pod.

    Reads its output until it ends, or for some seconds.

    Raises:
        ApiError: The API refused the exec, or the connection broke.
    """
    connection = stream(
        client.CoreV1Api(api).connect_get_namespaced_pod_exec,
        pod["metadata"]["name"],
        pod["metadata"]["namespace"],
        container=container,
        command=command,
        stdout=True,
        stderr=True,
        stdin=False,
        tty=False,
        _preload_content=False,
    )
    try:
        connection.run_forever(timeout=seconds)
        stdout, stderr = connection.read_stdout(timeout=0), connection.read_stderr(timeout=0)
        return ExecOutput(stdout, stderr, connection.read_all())
    except Exception as error:  # the client does the same when it opens the connection
        raise ApiError(status=0, reason=str(error)) from error
