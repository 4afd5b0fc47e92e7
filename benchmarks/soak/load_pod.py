"""The pod of the steady load, and what is asked of it."""

import json
from pathlib import Path
from typing import Any

from e2e.kube import Kube, client_pod, eventually

SCRIPT = Path(__file__).with_name("steady_load.py")
NAME = "load"


class LoadPod:
    """Clients in a pod of their own, at work against `http://mlflow`."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self.kube, self.namespace = kube, namespace

    def start(self) -> None:
        """Return when they have been at work for a window of time."""
        script = {"metadata": {"name": NAME}, "data": {SCRIPT.name: SCRIPT.read_text()}}
        self.kube.core.create_namespaced_config_map(self.namespace, script)
        pod = client_pod(NAME, ["python", f"/load/{SCRIPT.name}", "mlflow"])
        pod["spec"]["volumes"].append({"name": "load", "configMap": {"name": NAME}})
        pod["spec"]["containers"][0]["volumeMounts"].append({"name": "load", "mountPath": "/load"})
        self.kube.core.create_namespaced_pod(self.namespace, pod)
        eventually(lambda: self.kube.ready(self.namespace, 1, "app=client"), 90, "the load's pod")
        self.wait_for_windows(1)

    def state(self) -> dict[str, Any]:
        """Return the windows so far and the first failures; nothing before the first window."""
        # Not bare JSON, which the client library would turn into Python.
        text = self.kube.exec(self.namespace, NAME, ["sh", "-c", "cat /tmp/state || true"])
        found = text.startswith("state ")
        return dict(json.loads(text.removeprefix("state "))) if found else {"windows": [], "failures": []}

    def wait_for_windows(self, more: int) -> list[list[float]]:
        """Return so many new windows, when they are over."""
        before = len(self.state()["windows"])
        eventually(lambda: len(self.state()["windows"]) >= before + more, 30 * more, f"{more} windows", 1)
        return list(self.state()["windows"][before : before + more])

    def pace(self, rate: float) -> None:
        """Set the requests per second of all clients together."""
        # Renamed into place: a client that reads the file while it is written must not find it empty.
        command = f"echo {rate} > /tmp/rate.new && mv /tmp/rate.new /tmp/rate"
        self.kube.exec(self.namespace, NAME, ["sh", "-c", command])
