"""People who track while a fault happens (pod/steady.py), and the check of what they were promised.

They work in a pod, at the Service's cluster IP, and not on this machine: a forward of a port would end with
the server's pod behind it. No fault hits the pod's node, which is that of the control plane or the first one.
"""

import contextlib
import json
from dataclasses import dataclass
from typing import Any

from mlflowops.paths import REPO

from e2e.faults.place import first_node
from e2e.kube import Kube, client_pod, eventually

SCRIPTS = REPO / "tests/e2e/faults/pod"
RECOVERY = 120
"""Seconds after a fault in which all must be well, on an idle machine."""


@dataclass
class Way:
    """How people reach the server: by its Service, or through an Ingress."""

    url: str = "http://mlflow"
    address: str = ""
    """Where the name in the URL leads, if the cluster's DNS does not know it."""
    authorities: str = ""
    """Whom they trust, in PEM form."""


class People:
    """Six writers and three readers, in an experiment of their own."""

    def __init__(self, kube: Kube, namespace: str, name: str, way: Way) -> None:
        self.kube = kube
        self.namespace = namespace
        self.name = name
        self.way = way
        self.pod = f"people-{name}"[:63].rstrip("-")

    def start(self) -> None:
        """Until each writer had a run with all that belongs to it acknowledged."""
        scripts = {path.name: path.read_text() for path in sorted(SCRIPTS.glob("*.py"))}
        body = {"metadata": {"name": self.pod}, "data": {**scripts, "ca.crt": self.way.authorities}}
        self.kube.core.create_namespaced_config_map(self.namespace, body)
        trust = {"REQUESTS_CA_BUNDLE": "/people/ca.crt"} if self.way.authorities else {}
        command = ["python", "/people/steady.py", self.way.url, self.name]
        pod = client_pod(self.pod, command, trust)
        if self.way.address:
            host = self.way.url.rpartition("/")[2]
            pod["spec"]["hostAliases"] = [{"ip": self.way.address, "hostnames": [host]}]
        pod["spec"]["nodeSelector"] = {"kubernetes.io/hostname": first_node(self.kube)}
        pod["spec"]["volumes"].append({"name": "people", "configMap": {"name": self.pod}})
        pod["spec"]["containers"][0]["volumeMounts"].append({"name": "people", "mountPath": "/people"})
        self.kube.core.create_namespaced_pod(self.namespace, pod)
        self.wait_well(0)

    def state(self) -> dict[str, Any]:
        """The sum of what they saw; empty before they began."""
        with contextlib.suppress(Exception):
            text = self.kube.exec(self.namespace, self.pod, ["cat", "/tmp/state"])
            return dict(json.loads(text.removeprefix("state ")))
        return {}

    def wait_well(self, since: float, seconds: float = RECOVERY) -> dict[str, Any]:
        """Until each writer did a whole cycle, begun after that time and the last refusal to anyone."""
        seen: dict[str, Any] = {}

        def well() -> bool:
            if found := self.state():
                seen.update(found)
            return bool(found) and min(found["whole"]) > max(since, found["last_refusal"])

        try:
            eventually(well, seconds, "all people are served again")
        except AssertionError as error:
            log = self.kube.logs(self.namespace, self.pod)[-2000:]
            raise AssertionError(f"{error}; what they saw: {seen}; their log: {log}") from error
        return seen

    def end(self) -> dict[str, Any]:
        """Let them finish what they do; the sum of what they saw and what the server has of it."""
        self.kube.exec(self.namespace, self.pod, ["touch", "/tmp/stop"])
        eventually(lambda: self.state().get("ended"), 90, "end of the people's work")
        seen = self.state()
        command = ["python", "/people/found.py", self.way.url, self.name]
        text = self.kube.exec(self.namespace, self.pod, command)
        assert "found {" in text, text
        return {**seen, **json.loads(text[text.index("found {") :].removeprefix("found "))}

    def remove(self) -> None:
        self.kube.core.delete_namespaced_pod(self.pod, self.namespace, grace_period_seconds=0)
        self.kube.core.delete_namespaced_config_map(self.pod, self.namespace)
