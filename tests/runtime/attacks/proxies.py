"""Real proxies in front of a server: Traefik, and Go's own reverse proxy."""

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import requests

from runtime.network import free_port, wait_until
from testbed import paths, tools

SOURCE = Path(__file__).parent / "proxy"
CONFIG = """
entryPoints:
  web:
    address: 127.0.0.1:{port}
providers:
  file:
    filename: {folder}/routes.yaml
global:
  checkNewVersion: false
  sendAnonymousUsage: false
serversTransport:
  maxIdleConnsPerHost: 1
"""
ROUTES = """
http:
  routers:
    all:
      rule: PathPrefix(`/`)
      service: mlflow
  services:
    mlflow:
      loadBalancer:
        servers:
          - url: http://127.0.0.1:{server}
"""


@dataclass
class Proxy:
    """A process and the port that it listens on."""

    process: subprocess.Popen[bytes]
    port: int

    def ready(self) -> "Proxy":
        wait_until("the proxy's route", self._leads_on, 60)
        return self

    def _leads_on(self) -> bool:
        """Traefik listens before it knows its routes."""
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/health", timeout=5).ok
        except requests.RequestException:
            return False

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()


def traefik(folder: Path, server: int) -> Proxy:
    """Traefik with one route."""
    port = free_port()
    (folder / "traefik.yaml").write_text(CONFIG.format(port=port, folder=folder))
    (folder / "routes.yaml").write_text(ROUTES.format(server=server))
    command = [str(tools.ensure("traefik")), f"--configFile={folder}/traefik.yaml"]
    with (folder / "traefik.log").open("wb") as log:
        return Proxy(subprocess.Popen(command, stdout=log, stderr=log, cwd=folder), port).ready()


def go(folder: Path, server: int) -> Proxy:
    """Go's `httputil.ReverseProxy`."""
    port = free_port()
    with (folder / "go.log").open("wb") as log:
        command = [str(_built()), str(port), str(server)]
        return Proxy(subprocess.Popen(command, stdout=log, stderr=log, cwd=folder), port).ready()


def _built() -> Path:
    """The program, made once for this source."""
    content = b"".join(file.read_bytes() for file in sorted(SOURCE.iterdir()))
    program = paths.cache("tests") / f"proxy-{hashlib.sha256(content).hexdigest()[:12]}"
    if not program.exists():
        fresh = program.with_name(f"{program.name}.{os.getpid()}")
        compiler = shutil.which("go")
        assert compiler, "Go is not on PATH; install it, as for the tools of tools.toml"
        offline = {**os.environ, "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
        subprocess.run([compiler, "build", "-o", fresh, "."], cwd=SOURCE, env=offline, check=True)
        fresh.rename(program)
    return program
