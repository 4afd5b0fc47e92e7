"""1 GiB through the server, up and down: it passes through the pod's disk, not through its memory."""

import subprocess
from pathlib import Path

from e2e.helm import Helm
from e2e.kube import Kube
from e2e.stores import Database, shared_stores
from testbed import tools

MIB = 1024 * 1024
# What processes hold, on either version of cgroups; the page cache of /tmp is the kernel's to take back.
WATCH = """
import glob, os, re, time
(stat,) = glob.glob("/sys/fs/cgroup/memory/memory.stat") or glob.glob("/sys/fs/cgroup/memory.stat")
held = lambda: int(re.search(r"(?m)^(?:rss|anon) (\\d+)", open(stat).read()).group(1))
first = peak = held()
print("watching", flush=True)
while not os.path.exists("/tmp/watched"):
    peak = max(peak, held())
    time.sleep(0.1)
print("grew by", peak - first)
"""
TRANSFER = """
import hashlib, os, requests
url = "http://mlflow/api/2.0/mlflow-artifacts/artifacts/big.bin"
block, sent = os.urandom(1 << 20), hashlib.sha256()
def blocks():
    for _ in range(1024):
        sent.update(block)
        yield block
assert requests.put(url, data=blocks(), timeout=300).ok
got = hashlib.sha256()
with requests.get(url, stream=True, timeout=300) as answer:
    for part in answer.iter_content(1 << 20):
        got.update(part)
assert requests.delete(url, timeout=60).ok
assert got.digest() == sent.digest()
print("equal")
"""


def test_one_gibibyte_through_the_pod(kube: Kube, helm: Helm, namespace: str, kubeconfig: Path) -> None:
    stores = shared_stores(kube, namespace, Database(kube, "unused", ""), secret=False)
    values = {"artifactStore": stores["artifactStore"], "tmp": {"sizeLimit": "3Gi"}}
    helm.install(namespace, values, wait="300s")
    command = [tools.ensure("kubectl"), "--kubeconfig", kubeconfig, "exec", "-n", namespace]
    inside = [*command, "deployment/mlflow", "-c", "mlflow", "--"]
    with subprocess.Popen([*inside, "python", "-c", WATCH], stdout=subprocess.PIPE, text=True) as watching:
        try:
            assert "equal" in kube.run(namespace, "transfer", ["python", "-c", TRANSFER])
        finally:
            subprocess.run([*inside, "touch", "/tmp/watched"], check=True)
        said = watching.communicate(timeout=60)[0]
    grew = int(said.split("grew by ")[1])
    assert grew < 300 * MIB, f"{grew / MIB:.0f} MiB"
    assert kube.restarts(namespace) == 0
