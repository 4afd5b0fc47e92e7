"""One peer on the cluster: installed, measured, removed."""

import contextlib
import time
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from e2e.helm import Helm
from e2e.kube import Kube, eventually
from kubernetes.client.rest import ApiException
from mlflowops import shell

from benchmarks.cluster.databases import Databases
from benchmarks.cluster.usage import Usage
from benchmarks.peers.objects import make_secrets, objects
from benchmarks.peers.peer import Peer
from testbed import tools

SETTLE_SECONDS = 5
SETTLE_AT_MOST = 60


class Release:
    """A peer in its namespace."""

    def __init__(self, peer: Peer, kube: Kube, helm: Helm, databases: Databases) -> None:
        self.peer, self.kube, self.databases = peer, kube, databases
        self._objects = objects(peer, helm)

    def prepare(self) -> None:
        """Make its namespace and Secrets, and remove what an earlier run left there."""
        with contextlib.suppress(ApiException):
            self.kube.delete_namespace(self.peer.namespace)
        self.kube.create_namespace(self.peer.namespace)
        make_secrets(self.peer, self.kube, self.databases)

    def install(self) -> float:
        """Apply its objects; return the seconds until its server is Ready."""
        start = time.monotonic()
        # The annotation of a client-side apply has no room for a large ConfigMap.
        self._kubectl("apply", "--server-side")
        eventually(lambda: self.kube.ready(self.peer.namespace, 1), 60, f"{self.peer.name} Ready", every=0.1)
        self.__dict__.pop("server", None)
        return round(time.monotonic() - start, 1)

    def uninstall(self) -> None:
        """Delete its objects and wait for the end of its pods."""
        self._kubectl("delete")
        eventually(lambda: not self.kube.pods(self.peer.namespace, ""), 60, f"end of {self.peer.name}")

    def remove(self) -> None:
        """Delete its namespace, and its database if it is its own."""
        with contextlib.suppress(ApiException):
            self.kube.delete_namespace(self.peer.namespace)
        if not self.peer.shares:
            self.databases.drop(self.peer.database)

    @cached_property
    def server(self) -> Usage:
        """CPU and memory of the server's container."""
        (pod,) = self._pods("app=mlflow")
        return Usage(self.kube, self.peer.namespace, pod.metadata.name, "mlflow")

    @property
    def url(self) -> str:
        """Address of the server's pod, without a Service between it and the load generator."""
        (pod,) = self._pods("app=mlflow")
        return f"http://{pod.status.pod_ip}:5000"

    def memory(self) -> dict[str, Any]:
        """Return PSS in MiB and processes of the server's pod, and of all its pods."""
        found = [
            (pod.metadata.labels.get("app") == "mlflow", usage.pss()) for pod, usage in self._containers()
        ]
        return {
            "server_mib": sum(each["mib"] for of_server, each in found if of_server),
            "all_mib": sum(each["mib"] for _, each in found),
            "processes": sum(each["processes"] for _, each in found),
        }

    def memory_at_rest(self) -> dict[str, Any]:
        """Return its memory when it no longer grows: `mlflow server` is Ready before its workers are."""
        end = time.monotonic() + SETTLE_AT_MOST
        before = self.memory()
        while True:
            time.sleep(SETTLE_SECONDS)
            now = self.memory()
            settled = abs(now["all_mib"] - before["all_mib"]) <= now["all_mib"] / 50
            if settled or time.monotonic() > end:
                return now
            before = now

    def _containers(self) -> Iterator[tuple[Any, Usage]]:
        for pod in self._pods(""):
            for container in pod.spec.containers:
                yield pod, Usage(self.kube, self.peer.namespace, pod.metadata.name, container.name)

    def _pods(self, selector: str) -> list[Any]:
        pods = self.kube.pods(self.peer.namespace, selector)
        return [pod for pod in pods if not pod.metadata.deletion_timestamp]

    def _kubectl(self, verb: str, *options: str) -> None:
        words = (
            str(tools.ensure("kubectl")),
            verb,
            *options,
            "--namespace",
            self.peer.namespace,
            "--filename",
            "-",
        )
        shell.run(words, stdin=self._objects)
