"""The pod of steady clients (manifests/clients.py), and what a test asks of it."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from mlflowops.paths import REPO

from e2e.kube import Kube, client_pod, eventually

SCRIPT = REPO / "tests/e2e/manifests/clients.py"
UPLOAD = 50


class Clients:
    """Twelve clients and an upload in a pod of their own, at work against `http://mlflow`."""

    def __init__(self, kube: Kube, namespace: str, account: tuple[str, str] | None = None) -> None:
        self.kube = kube
        self.namespace = namespace
        self.env = {"ACCOUNT": json.dumps(account)} if account else {}

    def start(self) -> None:
        """Until each of them was answered once."""
        script = {"metadata": {"name": "clients"}, "data": {"clients.py": SCRIPT.read_text()}}
        self.kube.core.create_namespaced_config_map(self.namespace, script)
        pod = client_pod("clients", ["python", "/clients/clients.py", "http://mlflow"], self.env)
        pod["spec"]["volumes"].append({"name": "clients", "configMap": {"name": "clients"}})
        mount = {"name": "clients", "mountPath": "/clients"}
        pod["spec"]["containers"][0]["volumeMounts"].append(mount)
        self.kube.core.create_namespaced_pod(self.namespace, pod)
        self.kube.wait_ready(self.namespace, 1, selector="app=client")
        self._wait_for_answers(0)

    def state(self) -> dict[str, Any]:
        """What they saw since they started."""
        # Not bare JSON, which the client library would turn into Python.
        text = self.kube.exec(self.namespace, "clients", ["cat", "/tmp/state"])
        return json.loads(text.removeprefix("state "))

    def rest(self, seconds: float) -> None:
        """How long each of the twelve waits between two requests."""
        # Renamed into place: a client that reads the file while it is written must not find it empty.
        command = f"echo {seconds} > /tmp/pause.new && mv /tmp/pause.new /tmp/pause"
        self.kube.exec(self.namespace, "clients", ["sh", "-c", command])

    @contextlib.contextmanager
    def lose_nothing(self) -> Iterator[None]:
        """What happens in the block begins early in an upload, and no client notices any of it."""
        eventually(lambda: 0 < self.state()["uploading"] < UPLOAD / 5, 60, "an upload begins", every=0.2)
        before = self.state()
        yield
        eventually(lambda: self.state()["uploads"] > before["uploads"], 60, "the upload ends")
        after = self._wait_for_answers(sum(self.state()["answered"]))
        count = sum(after["answered"]) - sum(before["answered"])
        print(f"{count} requests, {len(after['failures'])} lost, slowest so far {after['slowest']} s")
        assert not after["failures"], "\n".join(after["failures"])

    def _wait_for_answers(self, total: int) -> dict[str, Any]:
        """The state once they all work, and have `total` answers and some more together."""
        last: dict[str, Any] = {}

        def answered() -> bool:
            with contextlib.suppress(ValueError):  # the pod is not running yet
                last.update(self.state())
                assert not last["failures"], "\n".join(last["failures"])
                return min(last["answered"]) > 0 and sum(last["answered"]) > total + 36
            return False

        try:
            eventually(answered, 120, f"every client at work, more than {total + 36} answers")
        except AssertionError as error:
            raise AssertionError(f"{error}; what the clients saw: {last}") from error
        return last
