"""The platform as tests use it: the way through Traefik, whom it trusts, what Prometheus knows."""

import contextlib
import socket
import string
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.exceptions import ChunkedEncodingError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from e2e.kube import Kube, eventually
from testbed import tools

MANIFESTS = Path(__file__).parent / "manifests"
SECONDS = 60


class Platform:
    """Traefik, Prometheus and the authority of their cluster; `ca` is the file of its certificate."""

    def __init__(self, kube: Kube, kubeconfig: Path) -> None:
        self.kube = kube
        self._kubectl = [str(tools.ensure("kubectl")), "--kubeconfig", str(kubeconfig)]
        with tempfile.NamedTemporaryFile("w", suffix=".crt", delete=False) as file:
            file.write(kube.read_secret("cert-manager", "local-ca")["ca.crt"])
        self.ca = file.name

    @property
    def address(self) -> str:
        """Where this machine reaches Traefik."""
        return self.kube.services.get("traefik", "traefik")

    @property
    def cluster_address(self) -> str:
        """Where pods reach Traefik."""
        return str(self.kube.core.read_namespaced_service("traefik", "traefik").spec.cluster_ip)

    def apply(self, namespace: str, manifest: str, **words: str) -> None:
        """`kubectl apply` of a file in manifests/; $namespace in it is the namespace, `words` are others."""
        text = string.Template((MANIFESTS / f"{manifest}.yaml").read_text())
        self.apply_text(namespace, text.substitute(namespace=namespace, **words))

    def apply_text(self, namespace: str, text: str) -> None:
        """`kubectl apply -f -`."""
        command = [*self._kubectl, "apply", "--namespace", namespace, "--filename", "-"]
        done = subprocess.run(command, input=text, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr

    @contextlib.contextmanager
    def hosts(self, *names: str) -> Iterator[None]:
        """In this process these names are Traefik's, as a DNS record would make them for all clients."""
        real = socket.getaddrinfo

        def lookup(host: Any, *rest: Any, **more: Any) -> Any:
            return real(self.address if host in names else host, *rest, **more)

        socket.getaddrinfo = lookup
        try:
            yield
        finally:
            socket.getaddrinfo = real

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """One request through Traefik that trusts the cluster's own authority; redirects are not followed.

        Asked again if Traefik cuts the answer off, which it may do (1 of 1,000) with one that comes at once.
        """
        chosen = {"verify": self.ca, "allow_redirects": False, "timeout": SECONDS, **options}
        again = Retrying(
            retry=retry_if_exception_type(ChunkedEncodingError), stop=stop_after_attempt(3), reraise=True
        )
        with self.hosts(str(urlsplit(url).hostname)):
            return again(requests.request, method, url, **chosen)

    def served(self, url: str, seconds: float = 60, **options: Any) -> requests.Response:
        """The first good answer; a certificate and a route take seconds to arrive."""

        def ask() -> requests.Response | None:
            with contextlib.suppress(requests.RequestException):
                answer = self.request("GET", url, **options)
                return answer if answer.ok else None
            return None

        answer: requests.Response = eventually(ask, seconds, f"{url} through Traefik")
        return answer

    def prometheus(self, path: str, **parameters: str) -> Any:
        """The data of an answer of Prometheus' API."""
        url = f"http://{self.kube.services.get('monitoring', 'prometheus')}:9090/api/v1/{path}"
        answer = requests.get(url, params=parameters, timeout=SECONDS)
        answer.raise_for_status()
        return answer.json()["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant query."""
        return list(self.prometheus("query", query=expression)["result"])

    def firing(self) -> set[str]:
        """The names of the alerts that fire."""
        alerts = self.prometheus("alerts")["alerts"]
        return {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}
