"""The cells of docs/notebooks.md on a real cluster, from each place that it names."""

import base64
import contextlib
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from mlflowops.paths import REPO

from e2e.forward import port_forward
from e2e.helm import Helm
from e2e.inside import run_inside
from e2e.kube import Kube, eventually
from e2e.platform import Platform

CELLS = REPO / "examples/notebooks"
SAYS = "as good as it gets"
HOST = "notebooks.example.com"  # not that of the page: production is tried beside this
PASSWORD = "correct horse"
HTPASSWD = "ana:{SHA}" + base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()  # noqa: S324 - as htpasswd -s
LOGIN = {
    "cert-manager.io/cluster-issuer": "letsencrypt-prod",
    "nginx.ingress.kubernetes.io/auth-type": "basic",
    "nginx.ingress.kubernetes.io/auth-secret": "accounts",
    "nginx.ingress.kubernetes.io/auth-realm": "MLflow",
}


def test_the_page_shows_the_cells_that_are_tested() -> None:
    shown = re.findall(r"```python\n(.*?)```", (REPO / "docs/notebooks.md").read_text(), re.DOTALL)
    assert shown == [(CELLS / f"{name}.py").read_text() for name in ("in_cluster", "port_forward", "ingress")]


def test_in_the_cluster(kube: Kube, namespace: str) -> None:
    cell = (CELLS / "in_cluster.py").read_text()
    assert SAYS in kube.run(namespace, "notebook", ["python", "-c", cell])


def test_by_port_forward(kubeconfig: Path) -> None:
    with port_forward(kubeconfig, "ml", "service/mlflow", 5000) as url:
        cell = (CELLS / "port_forward.py").read_text().replace("http://localhost:5000", url)
        done = subprocess.run([sys.executable, "-c", cell], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert SAYS in done.stdout


@pytest.fixture
def ingress(platform: Platform, kube: Kube, helm: Helm, namespace: str) -> None:
    """The chart's default behind an Ingress that asks who it is."""
    kube.secret(namespace, "accounts", {"auth": HTPASSWD})
    tls = [{"secretName": "mlflow-tls", "hosts": [HOST]}]
    hosts = [{"host": HOST, "paths": [{"path": "/"}]}]
    values = {"enabled": True, "className": "nginx", "annotations": LOGIN, "hosts": hosts, "tls": tls}
    helm.install(namespace, {"ingress": values, "metrics": {"enabled": False}})
    url = f"https://{HOST}/health"
    eventually(lambda: answers(platform, url) == 401, 60, "the login in front of MLflow")


def answers(platform: Platform, url: str) -> int:
    with contextlib.suppress(requests.ConnectionError):
        return platform.request("GET", url).status_code
    return 0


def test_by_ingress_with_a_login(kube: Kube, platform: Platform, ingress: None, tmp_path: Path) -> None:
    (tmp_path / "local-ca.crt").write_text(Path(platform.ca).read_text())
    hosts = {HOST: platform.address}
    cell = (CELLS / "ingress.py").read_text().replace("mlflow.example.com", HOST)
    words = [sys.executable, "-c", cell]
    done = run_inside(words, hosts=hosts, stdin=f"{PASSWORD}\n", cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert SAYS in done.stdout
    wrong = run_inside(words, hosts=hosts, stdin="wrong\n", cwd=tmp_path)
    assert wrong.returncode == 1
    assert "401" in wrong.stderr
