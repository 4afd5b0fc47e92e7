"""Services of the cluster at loopback addresses of this machine, through the API server and nothing else.

Nodes, pods and Services of most clusters, those of kind too, cannot be reached directly. So each Service
that a test opens gets an address in 127.64.0.0/10, at which `kubectl port-forward` serves its own ports.
Ports below 1024 need root, or `net.ipv4.ip_unprivileged_port_start` set to 80.
"""

import atexit
import random
import socket
import subprocess
import threading
import time
from pathlib import Path

from kubernetes.client import CoreV1Api
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from e2e.forward import forward_command


class ServiceAddress:
    """One Service at one loopback address; a forward that ends is started again while the Service exists."""

    def __init__(self, kubeconfig: Path, namespace: str, service: str, ports: list[int]) -> None:
        self.address = f"127.{random.randint(64, 127)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        self.ports = ports
        self.closed = False
        pairs = [f"{port}:{port}" for port in ports]
        self._command = forward_command(kubeconfig, namespace, f"service/{service}", pairs, self.address)
        threading.Thread(target=self._keep, daemon=True).start()
        atexit.register(self.close)

    def _keep(self) -> None:
        while not self.closed:
            self._process = subprocess.Popen(
                self._command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            _, error = self._process.communicate()
            self.closed |= "NotFound" in error
            time.sleep(0.2)

    def wait(self) -> None:
        """Return when every port accepts connections; ConnectionRefusedError after a minute."""
        again = Retrying(
            retry=retry_if_exception_type(ConnectionRefusedError),
            stop=stop_after_delay(60),
            wait=wait_fixed(0.1),
            reraise=True,
        )
        for port in self.ports:
            again(lambda port=port: socket.create_connection((self.address, port), 5).close())  # type: ignore[misc]

    def interrupt(self) -> None:
        """End the forward that serves now."""
        self._process.terminate()
        self._process.wait()

    def close(self) -> None:
        """End the forward permanently."""
        self.closed = True
        self.interrupt()


class ServiceAddresses:
    """The addresses that this test run has asked for, by namespace and Service."""

    def __init__(self, kubeconfig: Path, core: CoreV1Api) -> None:
        self._kubeconfig = kubeconfig
        self._core = core
        self._known: dict[tuple[str, str], ServiceAddress] = {}
        self._lock = threading.Lock()

    def get(self, namespace: str, service: str) -> str:
        """The address at which a Service answers now."""
        with self._lock:
            found = self._known.get((namespace, service))
            if found is None or found.closed:
                spec = self._core.read_namespaced_service(service, namespace).spec
                ports = [each.port for each in spec.ports if each.protocol == "TCP"]
                found = ServiceAddress(self._kubeconfig, namespace, service, ports)
                self._known[namespace, service] = found
        found.wait()
        return found.address

    def interrupt(self, namespace: str, service: str) -> None:
        """End the forward to a Service, as a restart of the pod behind it does."""
        self._known[namespace, service].interrupt()
