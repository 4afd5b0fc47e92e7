"""The way from the server to its object store: a proxy (pod/store_proxy.py) that can make it bad."""

import contextlib
from collections.abc import Iterator

from e2e.faults.people import SCRIPTS
from e2e.faults.place import first_node
from e2e.kube import Kube, client_pod

NAME = "store-way"
STORE = {"app.kubernetes.io/instance": "seaweedfs"}


CERTIFICATE = f"{NAME}-certificate"
"""The Secret of its certificate, without which it has no TLS."""
PORTS = [{"name": "http", "port": 8333}, {"name": "https", "port": 8443}]


class StoreWay:
    """At `http://store-way:8333` and `https://store-way:8443`, in front of the namespace's SeaweedFS."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self.kube = kube
        self.namespace = namespace

    def start(self) -> None:
        """Unless it runs already."""
        if self.kube.pods(self.namespace, f"app={NAME}"):
            return
        script = {"store_proxy.py": (SCRIPTS / "store_proxy.py").read_text()}
        self.kube.core.create_namespaced_config_map(
            self.namespace, {"metadata": {"name": NAME}, "data": script}
        )
        pod = client_pod(NAME, ["python", "/way/store_proxy.py", "seaweedfs", "8333"])
        pod["metadata"]["labels"] = {"app": NAME}
        pod["spec"]["nodeSelector"] = {"kubernetes.io/hostname": first_node(self.kube)}
        secret = {"secretName": CERTIFICATE, "optional": True}
        for name, source in (("way", {"configMap": {"name": NAME}}), ("certificate", {"secret": secret})):
            pod["spec"]["volumes"].append({"name": name, **source})
            pod["spec"]["containers"][0]["volumeMounts"].append({"name": name, "mountPath": f"/{name}"})
        self.kube.core.create_namespaced_pod(self.namespace, pod)
        service = {"metadata": {"name": NAME}, "spec": {"selector": {"app": NAME}, "ports": PORTS}}
        self.kube.core.create_namespaced_service(self.namespace, service)
        self.kube.wait_ready(self.namespace, 1, selector=f"app={NAME}")

    @contextlib.contextmanager
    def bad(self, mode: str) -> Iterator[None]:
        """In the block, requests to the store are `slow`, or answered `403` or `503`."""
        self._set(mode)
        try:
            yield
        finally:
            self._set("fine")

    @contextlib.contextmanager
    def left_out(self) -> Iterator[None]:
        """In the block, its name leads to the store itself."""
        self._lead({"app": None, **STORE})
        try:
            yield
        finally:
            self._lead({"app": NAME, **dict.fromkeys(STORE)})

    def _lead(self, selector: dict[str, str | None]) -> None:
        self.kube.core.patch_namespaced_service(NAME, self.namespace, {"spec": {"selector": selector}})

    def _set(self, mode: str) -> None:
        command = f"echo {mode} > /tmp/mode.new && mv /tmp/mode.new /tmp/mode"
        self.kube.exec(self.namespace, NAME, ["sh", "-c", command])
