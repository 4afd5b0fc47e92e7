"""What tests do to and ask from a Kubernetes, through the official client."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.client.rest import ApiException
from kubernetes.stream import stream
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from e2e.service_addresses import ServiceAddresses

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


# A wait ends as soon as there is an answer, so long timeouts cost nothing; a slow machine is no failure.
TIMEOUT_FACTOR = 3


def eventually(ask: Callable[[], Any], seconds: float, what: str, every: float = 0.5) -> Any:
    """Ask again until the answer is truthy; AssertionError names `what` and the last answer.

    `seconds` is what an idle machine may take; a slow one gets TIMEOUT_FACTOR times that.
    """
    seconds *= TIMEOUT_FACTOR
    last: list[Any] = [None]

    def once() -> Any:
        last[0] = ask()
        return last[0]

    waiting = retry(
        retry=retry_if_result(lambda answer: not answer),
        stop=stop_after_delay(seconds),
        wait=wait_fixed(every),
        retry_error_callback=lambda _: None,
    )(once)
    answer = waiting()
    assert answer, f"not within {seconds} s: {what} (last answer: {last[0]!r})"
    return answer


class Kube:
    def __init__(self, kubeconfig: Path) -> None:
        self.api = config.new_client_from_config(str(kubeconfig))
        self.core = client.CoreV1Api(self.api)
        self.apps = client.AppsV1Api(self.api)
        self.storage = client.StorageV1Api(self.api)
        self.services = ServiceAddresses(kubeconfig, self.core)
        self.given: dict[tuple[str, str], list[dict[str, str]]] = {}  # what each Secret of a test has had

    def create_namespace(self, name: str) -> None:
        """Make it, restricted; on a cluster that is used again, first wait for the end of an earlier one."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        eventually(lambda: not self._exists(name), 90, f"end of an earlier namespace {name}")
        self.core.create_namespace({"metadata": {"name": name, "labels": labels}})
        eventually(lambda: self._has_default_account(name), 30, f"service account of {name}")

    def _exists(self, namespace: str) -> bool:
        named = f"metadata.name={namespace}"
        return bool(self.core.list_namespace(field_selector=named).items)

    def _has_default_account(self, namespace: str) -> bool:
        with contextlib.suppress(ApiException):
            return bool(self.core.read_namespaced_service_account("default", namespace))
        return False

    def delete_namespace(self, name: str) -> None:
        """Start the deletion; nothing waits for its end, names are not used twice."""
        self.core.delete_namespace(name, grace_period_seconds=0)

    def secret(self, namespace: str, name: str, data: dict[str, str]) -> None:
        self.given.setdefault((namespace, name), []).append(data)
        body = {"metadata": {"name": name}, "stringData": data}
        try:
            self.core.create_namespaced_secret(namespace, body)
        except ApiException as error:
            if error.status != 409:
                raise
            self.core.replace_namespaced_secret(name, namespace, body)

    def read_secret(self, namespace: str, name: str) -> dict[str, str]:
        import base64

        data = self.core.read_namespaced_secret(name, namespace).data
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def pods(self, namespace: str, selector: str = "app=mlflow") -> list[client.V1Pod]:
        return self.core.list_namespaced_pod(namespace, label_selector=selector).items

    def ready(self, namespace: str, count: int, selector: str = "app=mlflow") -> bool:
        """Exactly `count` pods, all Ready, none being deleted."""
        pods = [pod for pod in self.pods(namespace, selector) if not pod.metadata.deletion_timestamp]
        return len(pods) == count and all(_is_ready(pod) for pod in pods)

    def wait_ready(
        self, namespace: str, count: int, seconds: float = 120, selector: str = "app=mlflow"
    ) -> None:
        eventually(
            lambda: self.ready(namespace, count, selector), seconds, f"{count} pods Ready in {namespace}"
        )

    def restarts(self, namespace: str, selector: str = "app=mlflow") -> int:
        """Restarts of all containers, init containers included."""
        return sum(
            status.restart_count
            for pod in self.pods(namespace, selector)
            for status in [
                *(pod.status.container_statuses or []),
                *(pod.status.init_container_statuses or []),
            ]
        )

    def logs(self, namespace: str, pod: str, container: str | None = None) -> str:
        """The log of a container, or what the API says about there being none."""
        try:
            # The client returns None for a log without a line.
            return self.core.read_namespaced_pod_log(pod, namespace, container=container) or ""
        except ApiException as error:
            return f"(no log: {error.reason})"

    def exec(self, namespace: str, pod: str, command: list[str], container: str | None = None) -> str:
        extra = {"container": container} if container else {}
        return stream(
            self.core.connect_get_namespaced_pod_exec, pod, namespace,
            command=command, stdout=True, stderr=True, stdin=False, tty=False, **extra,
        )  # fmt: skip

    @contextlib.contextmanager
    def client_pod(self, namespace: str, name: str = "client") -> Iterator[str]:
        """A running pod of the client image, to be used with `exec`."""
        self.core.create_namespaced_pod(namespace, client_pod(name, ["sleep", "3600"]))
        try:
            eventually(lambda: self._phase(namespace, name) == "Running", 90, f"pod {name} running")
            yield name
        finally:
            self.core.delete_namespaced_pod(name, namespace, grace_period_seconds=0)

    def run(self, namespace: str, name: str, command: list[str], env: dict[str, str] | None = None) -> str:
        """Run a client pod to its end; its log. Fails unless it exited 0."""
        self.core.create_namespaced_pod(namespace, client_pod(name, command, env))
        return self.end(namespace, name)

    def end_of_job(self, namespace: str, job: str) -> str:
        """Wait for the end of the first pod of a Job; its log. Fails unless it exited 0."""
        (pod,) = eventually(lambda: self.pods(namespace, f"job-name={job}"), 30, f"the pod of Job {job}")
        return self.end(namespace, pod.metadata.name)

    def end(self, namespace: str, name: str) -> str:
        """Wait for the end of a pod; its log. Fails unless it exited 0."""
        eventually(
            lambda: self._phase(namespace, name) in ("Succeeded", "Failed"), 240, f"pod {name} finished"
        )
        log = self.logs(namespace, name)
        assert self._phase(namespace, name) == "Succeeded", log
        return log

    def _phase(self, namespace: str, name: str) -> str:
        return self.core.read_namespaced_pod(name, namespace).status.phase

    def print_state(self, namespace: str) -> None:
        """Events, pods and logs of a namespace, for the report of a failed test."""
        for event in self.core.list_namespaced_event(namespace).items[-40:]:
            print("event", event.involved_object.name, event.reason, event.message)
        for pod in self.pods(namespace, ""):
            print("pod", pod.metadata.name, pod.status.phase, pod.status.reason or "")
            for container in [*(pod.spec.init_containers or []), *pod.spec.containers]:
                print(self.logs(namespace, pod.metadata.name, container.name)[-3000:])


def _is_ready(pod: client.V1Pod) -> bool:
    conditions = {each.type: each.status for each in pod.status.conditions or []}
    return conditions.get("Ready") == "True"


def client_pod(name: str, command: list[str], env: dict[str, str] | None = None) -> dict[str, Any]:
    """A restricted pod of the client image with a writable /tmp."""
    variables = {"HOME": "/tmp", **(env or {})}
    return {
        "metadata": {"name": name, "labels": {"app": "client"}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "client",
                    "image": "localhost/client:3.17.2",
                    "imagePullPolicy": "Never",
                    "command": command,
                    "env": [{"name": key, "value": value} for key, value in variables.items()],
                    "securityContext": RESTRICTED,
                    "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                }
            ],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    }
