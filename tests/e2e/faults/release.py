"""A release that faults hit, and `under_load`, which lets one happen while people track."""

import os
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from e2e.faults.outcome import Outcome, lost
from e2e.faults.people import RECOVERY, People, Way
from e2e.kube import Kube, eventually


@dataclass
class Release:
    """Server pods in a namespace, which has PostgreSQL and SeaweedFS of its own."""

    kube: Kube
    namespace: str
    replicas: int = 2
    way: Way = field(default_factory=Way)

    def pods(self) -> list[Any]:
        """The server's pods that are not being deleted, when all are there and Ready."""

        def settled() -> list[Any]:
            pods = [each for each in self.kube.pods(self.namespace) if not each.metadata.deletion_timestamp]
            return pods if self.kube.ready(self.namespace, self.replicas) else []

        return list(eventually(settled, RECOVERY, f"{self.replicas} server pods Ready"))

    def names(self) -> list[str]:
        """The names of those pods."""
        return [each.metadata.name for each in self.pods()]

    def restarts(self) -> dict[tuple[str, str], int]:
        """By pod and container."""
        return {
            (pod.metadata.uid, each.name): each.restart_count
            for pod in self.kube.pods(self.namespace)
            for each in pod.status.container_statuses or []
        }

    def under_load(
        self,
        fault: str,
        happen: Callable[[], Any],
        seconds: float = RECOVERY,
        may_lose: bool = False,
        kind: Callable[..., Outcome] = Outcome,
    ) -> Outcome:
        """Let it happen while people track; what they saw, recorded and checked.

        Args:
            fault: One sentence without its period, such as `A worker is killed`.
            happen: Returns when the fault is over.
            seconds: In which all clients must be served again after it, on an idle machine.
            may_lose: Whether the store may lose what it has acknowledged; the outcome says what.
            kind: Makes the outcome of the figures.
        """
        test = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split(" ")[0]
        name = re.sub("[^a-z0-9]+", "-", test.removeprefix("test_")).strip("-")
        # Another one each time: on a kept cluster the names of the last run are taken.
        people = People(self.kube, self.namespace, f"{name}-{secrets.token_hex(3)}", self.way)
        self.pods()
        people.start()
        try:
            before, began = self.restarts(), time.time()
            happen()
            ended = time.time()
            people.wait_well(ended, seconds)
            self.pods()
            seen = people.end()
        finally:
            people.remove()
        restarts = sum(count - before.get(each, 0) for each, count in self.restarts().items())
        outcome = kind(
            fault=fault, test=test, requests=seen["requests"], refused=seen["refused"],
            refused_calls=seen["refused_calls"],
            slowest=round(seen["slowest"], 2), recovery=round(max(0, seen["last_refusal"] - ended), 1),
            lasted=round(ended - began, 1), pause=round(seen["pause"], 1), restarts=restarts,
            acknowledged=seen["acknowledged"], lost=lost(seen), doubled=seen["doubled"], stray=seen["stray"],
        )  # fmt: skip
        outcome.record()
        return outcome if may_lose else outcome.check()
