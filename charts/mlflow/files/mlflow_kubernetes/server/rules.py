"""The rules that a request must pass before MLflow sees it: method, Host and Origin."""

import fnmatch
import ipaddress
import os
import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from mlflow_kubernetes.server.edge.limits import max_body
from mlflow_kubernetes.stores import workspaces

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
HOST = re.compile(r"(?P<name>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
LOCAL = ("localhost", "127.0.0.1", "[::1]")
# The Assistant runs commands for clients on its own machine, and a port-forward looks like one.
CLOSED = re.compile(r"/+mlflow/+assistant(/|$)", re.IGNORECASE)
# With workspaces also the demo: while MLflow writes it, other requests may count as of its workspace.
CLOSED_WITH_WORKSPACES = re.compile(r"/+mlflow/+(assistant|demo)(/|$)", re.IGNORECASE)
# Routes of artifacts, exempt from the limit of API bodies, with and without a static prefix.
ARTIFACTS = re.compile(r"/(ajax-)?api/2\.0/mlflow-artifacts/")

HOST_WORDS = "Invalid Host header: this server does not answer to this name; add it to mlflow.allowedHosts."
ORIGIN_WORDS = "Cross-origin request blocked"


class Refusal(NamedTuple):
    """An answer in place of MLflow's."""

    status: int
    words: str
    why: str = ""  # for the log: the header that was refused


class Host(NamedTuple):
    """A Host header, in lower case and without the dot that may end a name."""

    name: str
    port: str | None

    def is_address(self) -> bool:
        """Return whether it is an IP address, which is always allowed: DNS rebinding needs a name."""
        try:
            ipaddress.ip_address(self.name.strip("[]"))
        except ValueError:
            return False
        return ":" not in self.name or self.name.startswith("[")


def parse_host(text: str) -> Host | None:
    """The parts of a Host header, or None if it is not one."""
    found = HOST.fullmatch(text.lower())
    if found is None or int(found["port"] or 0) > 65_535:
        return None
    return Host(found["name"].removesuffix("."), found["port"])


class Hosts:
    """The names that the server answers to, as MLflow writes them: `name`, `name:443`, `name:*`, `*.name`."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.everyone = False
        self.patterns: list[tuple[str, str | None]] = []
        for pattern in (each.strip().lower().replace("[[]", "[") for each in patterns):
            self.everyone = self.everyone or pattern == "*"
            name, colon, port = pattern.rpartition(":")
            if not colon or pattern.endswith("]"):
                name, port = pattern, ""
            self.patterns.append((name.removesuffix("."), port or None))

    def allow(self, host: Host) -> bool:
        """Whether the server answers to it. An address is always allowed."""
        return self.everyone or host.is_address() or any(self._matches(host, *each) for each in self.patterns)

    def _matches(self, host: Host, name: str, port: str | None) -> bool:
        if host.port is None if port == "*" else host.port != port:
            return False
        return fnmatch.fnmatchcase(host.name, name) if "*" in name else host.name == name


class Origins:
    """The origins whose pages may send requests that change something."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = [each.strip().lower() for each in allowed]
        self.named = {urlsplit(each).netloc for each in self.allowed}

    def allow(self, origin: str) -> bool:
        """Whether it is listed, or a page of the same machine."""
        if origin in self.allowed:
            return True
        if not ORIGIN.fullmatch(origin):  # a wildcard must not match what only ends like a listed one
            return False
        host = parse_host(urlsplit(origin).netloc)
        if host and host.name in LOCAL:
            return True
        return any("*" in each and fnmatch.fnmatchcase(origin, each) for each in self.allowed)

    def is_own(self, origin: str, host: str) -> bool:
        """Whether it is a page of this server, under a name for which no origin is listed."""
        return bool(ORIGIN.fullmatch(origin)) and urlsplit(origin).netloc == host and host not in self.named


class Rules:
    """All rules, from the environment that the chart sets. MLflow's own check of host names is off."""

    def __init__(self) -> None:
        hosts = os.environ.get("MLFLOW_KUBERNETES_HOSTS") or "localhost,localhost:*"
        self.hosts = Hosts(hosts.split(","))
        self.origins = Origins(
            filter(None, (os.environ.get("MLFLOW_SERVER_CORS_ALLOWED_ORIGINS") or "").split(","))
        )
        prefix = os.environ.get("MLFLOW_STATIC_PREFIX", "")
        self.nameless = {f"{prefix}/health", f"{prefix}/version"}
        self.closed = CLOSED_WITH_WORKSPACES if workspaces.is_enabled(os.environ) else CLOSED
        self.max_body = max_body()

    def limit(self, path: str) -> int | None:
        """Return the maximum number of bytes of a body; None for artifacts."""
        return None if ARTIFACTS.search(path) else self.max_body

    def refusal(self, method: str, path: str, headers: list[tuple[bytes, bytes]]) -> Refusal | None:
        """Return the refusal of a request, or None if MLflow may answer it."""
        if method not in METHODS:
            return Refusal(501, "This method is not implemented.")
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        host = parse_host(hosts[0]) if len(hosts) == 1 else None
        if len(hosts) > 1 or (host is None and path not in self.nameless):
            return Refusal(400, "The request needs one valid Host header.")
        if host and path not in self.nameless and not self.hosts.allow(host):
            return Refusal(403, HOST_WORDS, f"Host {hosts[0][:200]!r}")
        if self.closed.search(path):
            return Refusal(404, "Not Found")
        return self._origin_refusal(method, headers, hosts[0].lower() if hosts else "")

    def _origin_refusal(self, method: str, headers: list[tuple[bytes, bytes]], host: str) -> Refusal | None:
        """Refuse a foreign origin; drop the header if it is our own, which MLflow does not recognize."""
        given = [value.decode("latin-1").lower() for name, value in headers if name == b"origin"]
        if not given:
            return None
        if len(given) == 1 and self.origins.is_own(given[0], host):
            headers[:] = [each for each in headers if each[0] != b"origin"]
        elif method in CHANGING and not all(map(self.origins.allow, given)):
            return Refusal(403, ORIGIN_WORDS, f"Origin {given[0][:200]!r}")
        return None
