"""The chart from an OCI registry, as users of a release install it."""

from pathlib import Path

import yaml
from mlflowops.paths import REPO
from release.rehearsal import VERSION, Clone, registry
from testbed.release.registry import Registry, digest

from e2e.helm import OUR_IMAGE, Helm
from e2e.kube import TIMEOUT_FACTOR, Kube


def test_install_from_a_registry(kube: Kube, helm: Helm, namespace: str, tmp_path: Path) -> None:
    """By its version, then the same chart by the digest that cosign verifies: nothing changes."""
    clone = Clone.of(REPO, tmp_path / "clone")
    clone.prepare()
    built = clone.release("build")
    assert built.returncode == 0, built.stderr
    values = yaml.safe_dump({"image": OUR_IMAGE})
    wait = [
        "--plain-http",
        "--namespace",
        namespace,
        "--values",
        "-",
        "--wait",
        "--timeout",
        f"{TIMEOUT_FACTOR * 120}s",
    ]
    with registry(tmp_path) as address:
        Registry(address).push_chart(clone.dist / f"mlflow-{VERSION}.tgz")
        chart = f"oci://{address}/mlflow"
        helm("install", "mlflow", chart, "--version", VERSION, *wait, stdin=values)
        before = kube.apps.read_namespaced_deployment("mlflow", namespace).metadata
        assert before.labels["helm.sh/chart"] == f"mlflow-{VERSION}"
        helm("upgrade", "mlflow", f"{chart}@{digest(f'{address}/mlflow:{VERSION}')}", *wait, stdin=values)
    after = kube.apps.read_namespaced_deployment("mlflow", namespace).metadata
    assert after.generation == before.generation
    helm("test", "mlflow", "--namespace", namespace, "--timeout", f"{TIMEOUT_FACTOR * 120}s")
