"""The three PostgreSQL servers of examples/postgres/patroni, and what faults do to the primary among them."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from kubernetes import utils
from mlflowops.generated_secrets import random_key
from mlflowops.paths import REPO

from e2e.kube import Kube, eventually

OBJECTS = REPO / "examples/postgres/patroni/database.yaml"
NAME = "mlflow-db"
MEMBERS = 3
SELECTOR = f"cluster-name={NAME}"
LEVEL = "pod-security.kubernetes.io/enforce"
CONTROL = "patronictl --config-file /etc/patroni/patroni.yaml"
# Process 1 only waits for the others. The second round stops what was started during the first one.
FREEZE = """for round in 1 2; do for each in /proc/[0-9]*; do pid=${each#/proc/}
  [ "$pid" = 1 ] || [ "$pid" = $$ ] || kill -STOP "$pid" 2>/dev/null; done; done"""
KILL = "kill -s KILL -- -1"
# No packet leaves the pod; the rule before it, for addresses of the pod itself, stays.
CUT, JOIN = "ip rule add pref 1 blackhole", "ip rule del pref 1"


@dataclass
class Patroni:
    """A primary and two standbys in a namespace."""

    kube: Kube
    namespace: str
    image: str

    def deploy(self) -> str:
        """Apply the example as users do, in a restricted namespace; the password of the role `mlflow`."""
        passwords = {name: random_key() for name in ("superuser", "replication", "password")}
        self.kube.secret(self.namespace, NAME, passwords)
        for item in yaml.safe_load_all(OBJECTS.read_text()):
            if item["kind"] == "StatefulSet":
                item["spec"]["template"]["spec"]["containers"][0]["image"] = self.image
            utils.create_from_dict(self.kube.api, item, namespace=self.namespace)
        self.kube.wait_ready(self.namespace, MEMBERS, 240, SELECTOR)
        # For the container that cuts a pod off.
        body = {"metadata": {"labels": {LEVEL: "privileged"}}}
        self.kube.core.patch_namespace(self.namespace, body)
        return passwords["password"]

    def shell(self, pod: str, script: str) -> str:
        return self.kube.exec(self.namespace, pod, ["sh", "-c", script], "patroni")

    def primary(self) -> str:
        """The pod that holds the leader's lock."""
        found = self.kube.core.read_namespaced_endpoints(NAME, self.namespace)
        return str(found.metadata.annotations["leader"])

    def changes(self) -> int:
        """How often the leader's lock has changed hands."""
        found = self.kube.core.read_namespaced_endpoints(NAME, self.namespace)
        return int(found.metadata.annotations["transitions"])

    def members(self) -> list[dict[str, Any]]:
        """Each server as the primary's Patroni sees it; empty while it does not answer."""
        with contextlib.suppress(Exception):
            text = self.shell(self.primary(), f"echo members; {CONTROL} list --format json 2>/dev/null")
            return list(json.loads(text.removeprefix("members")))
        return []

    def settle(self, synchronous: bool) -> None:
        """All servers follow one primary, whose commits wait for a standby or not."""
        wanted = str(synchronous).lower()
        self.shell(self.primary(), f"{CONTROL} edit-config --force --set synchronous_mode={wanted}")
        roles = sorted(["Leader", "Replica", "Sync Standby" if synchronous else "Replica"])

        def settled() -> bool:
            members = self.members()
            states = {each["State"] for each in members}
            return sorted(each["Role"] for each in members) == roles and states == {"running", "streaming"}

        eventually(settled, 180, f"a primary and two standbys, synchronous: {wanted}", every=2)

    @contextlib.contextmanager
    def fail_over(self) -> Iterator[str]:
        """What the block does to the primary, whose pod it gets, lets another one take the lock."""
        former, before = self.primary(), self.changes()
        yield former
        eventually(lambda: self.changes() > before, 120, f"another primary than {former}")

    def kill(self) -> None:
        """All processes of the primary end, and its node takes no pod until another one is the primary.

        A deletion alone would let Patroni give its lock away: Kubernetes sends SIGTERM 2 s before SIGKILL.
        """
        node = self.kube.core.read_namespaced_pod(self.primary(), self.namespace).spec.node_name
        self.kube.core.patch_node(node, {"spec": {"unschedulable": True}})
        try:
            with self.fail_over() as pod:
                self.shell(pod, KILL)
                self.kube.core.delete_namespaced_pod(pod, self.namespace, grace_period_seconds=0)
        finally:
            self.kube.core.patch_node(node, {"spec": {"unschedulable": False}})

    def freeze(self) -> None:
        """No process of the primary's pod runs any more, until its liveness probe ends them."""
        with self.fail_over() as pod:
            self.shell(pod, FREEZE)

    def switch_over(self) -> None:
        """As before maintenance of the primary's node."""
        with self.fail_over() as pod:
            print(self.shell(pod, f"{CONTROL} switchover --force 2>&1"))

    def partition(self) -> None:
        """No packet leaves the primary's pod until another one is the primary."""
        pod = self.primary()
        self._add_cutter(pod)
        try:
            with self.fail_over():
                self.kube.exec(self.namespace, pod, ["sh", "-c", CUT], "cutter")
        finally:
            self.kube.exec(self.namespace, pod, ["sh", "-c", JOIN], "cutter")

    def _add_cutter(self, pod: str) -> None:
        """A container in the network of the pod that may change it; it stays as long as the pod."""
        cutter = {
            "name": "cutter",
            "image": self.image,
            "command": ["sleep", "infinity"],
            "securityContext": {
                "runAsUser": 0,
                "runAsNonRoot": False,
                "capabilities": {"add": ["NET_ADMIN"]},
            },
        }
        body = {"spec": {"ephemeralContainers": [cutter]}}
        self.kube.core.patch_namespaced_pod_ephemeralcontainers(pod, self.namespace, body)

        def runs() -> bool:
            status = self.kube.core.read_namespaced_pod(pod, self.namespace).status
            return any(each.state.running for each in status.ephemeral_container_statuses or [])

        eventually(runs, 60, f"the container that cuts {pod} off")
