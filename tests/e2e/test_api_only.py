"""The suite needs nothing but the API server: Services are reached, and not directly."""

import subprocess
import sys
import urllib.request
from pathlib import Path

from mlflowops.paths import REPO

from e2e.kube import Kube

ASK = """
import sys, urllib.request
from pathlib import Path
from e2e.kube import Kube
kube = Kube(Path(sys.argv[1]))
service = kube.core.read_namespaced_service("mlflow", "ml").spec.cluster_ip
for host in (kube.services.get("ml", "mlflow"), service):
    try:
        print(urllib.request.urlopen(f"http://{host}/health", timeout=10).status)
    except OSError as error:
        print(error)
"""


def test_a_service_answers_where_only_the_api_server_does(kubeconfig: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "e2e.api_only",
        str(kubeconfig),
        sys.executable,
        "-c",
        ASK,
        str(kubeconfig),
    ]
    done = subprocess.run(words, cwd=REPO / "tests", text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    by_forward, directly = done.stdout.splitlines()
    assert by_forward == "200"
    assert "unreachable" in directly


def test_an_address_is_kept_when_its_forward_ends(kube: Kube) -> None:
    """As after a restart of the pod behind it."""
    address = kube.services.get("ml", "mlflow")
    kube.services.interrupt("ml", "mlflow")
    with urllib.request.urlopen(f"http://{kube.services.get('ml', 'mlflow')}/health", timeout=10) as answer:
        assert answer.status == 200
    assert kube.services.get("ml", "mlflow") == address
