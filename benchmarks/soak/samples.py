"""What is read from the cluster every few seconds: memory by pod, restarts, connections."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from e2e.kube import Kube
from e2e.stores import Database
from kubernetes.client import BatchV1Api
from kubernetes.client.rest import ApiException

from benchmarks.cluster.usage import Usage

OURS = "app.kubernetes.io/name=mlflow"
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
# A pod's memory counts from its second minute on, when caches are filled.
WARM_SECONDS = 60
LIVED_SECONDS = 120


class Samples:
    """Reads one release in its namespace."""

    def __init__(self, kube: Kube, namespace: str, database: Database) -> None:
        self.kube, self.namespace, self.database = kube, namespace, database
        self.restarts: dict[str, int] = {}
        self.jobs: dict[str, tuple[int, int]] = {}

    def take(self) -> dict[str, Any]:
        """Return a sample. Pods that come or go are left out."""
        memory = {}
        for pod in self.kube.pods(self.namespace, OURS):
            self.restarts[pod.metadata.name] = sum(
                each.restart_count for each in pod.status.container_statuses or []
            )
            if _serves(pod):
                with contextlib.suppress(ApiException, ValueError, KeyError):
                    memory[pod.metadata.name] = round(self._memory(pod), 1)
        self.look_at_jobs()
        return {"at": round(time.time()), "memory_mib": memory, "connections": self._connections()}

    def look_at_jobs(self) -> None:
        """Keep what became of each Job: Kubernetes removes the older ones."""
        for job in BatchV1Api(self.kube.api).list_namespaced_job(self.namespace).items:
            self.jobs[job.metadata.name] = (job.status.succeeded or 0, job.status.failed or 0)

    def tasks(self) -> dict[str, dict[str, int]]:
        """Return how many Jobs of each task ended well, and pods of them did not."""
        found = {}
        for task in ("backup", "retention"):
            ends = [end for name, end in self.jobs.items() if name.startswith(f"mlflow-{task}-")]
            found[task] = {"succeeded": sum(end[0] for end in ends), "failed": sum(end[1] for end in ends)}
        return found

    def _memory(self, pod: Any) -> float:
        usages = [
            Usage(self.kube, self.namespace, pod.metadata.name, each.name) for each in pod.spec.containers
        ]
        return sum(usage.anonymous_mib() for usage in usages)

    def _connections(self) -> int:
        with contextlib.closing(self.database.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(CONNECTIONS, (self.database.name,))
            return int(cursor.fetchone()[0])


def _serves(pod: Any) -> bool:
    """Whether it is a pod of a Deployment, and Ready."""
    conditions = {each.type: each.status for each in pod.status.conditions or []}
    owners = {each.kind for each in pod.metadata.owner_references or []}
    return owners == {"ReplicaSet"} and conditions.get("Ready") == "True"


def by_pod(samples: list[dict[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """Return time and MiB of each pod's samples."""
    found: dict[str, list[tuple[float, float]]] = {}
    for sample in samples:
        for pod, mib in sample["memory_mib"].items():
            found.setdefault(pod, []).append((sample["at"], mib))
    return found


def slopes(samples: list[dict[str, Any]]) -> Iterator[tuple[str, float, float, float]]:
    """Yield pod, minutes, last MiB and MiB per hour (least squares) of each pod that lived long enough."""
    for pod, points in by_pod(samples).items():
        warm = [each for each in points if each[0] >= points[0][0] + WARM_SECONDS]
        if len(warm) > 2 and warm[-1][0] - warm[0][0] >= LIVED_SECONDS:
            yield pod, (points[-1][0] - points[0][0]) / 60, points[-1][1], 3600 * _slope(warm)


def _slope(points: list[tuple[float, float]]) -> float:
    middle_x, middle_y = (sum(column) / len(points) for column in zip(*points, strict=True))
    above = sum((x - middle_x) * (y - middle_y) for x, y in points)
    return above / sum((x - middle_x) ** 2 for x, _ in points)
