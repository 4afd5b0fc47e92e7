"""The chart's default: `helm install mlflow charts/mlflow` and nothing else."""

from pathlib import Path

from mlflow import MlflowClient

from e2e.forward import port_forward
from e2e.helm import Helm
from e2e.kube import Kube


def test_default_install(kube: Kube, helm: Helm, kubeconfig: Path, namespace: str) -> None:
    """Becomes Ready, passes its own `helm test`, keeps runs and artifacts when its pod is deleted."""
    helm.install(namespace, {})
    helm("test", "mlflow", "--namespace", namespace, "--timeout", "120s")
    with port_forward(kubeconfig, namespace, "service/mlflow", 5000) as url:
        run_id = _log(MlflowClient(url))
    (pod,) = kube.pods(namespace, "app=mlflow")
    kube.core.delete_namespaced_pod(pod.metadata.name, namespace)
    kube.wait_ready(namespace, 1)
    with port_forward(kubeconfig, namespace, "service/mlflow", 5000) as url:
        client = MlflowClient(url)
        assert client.get_run(run_id).data.metrics == {"accuracy": 0.5}
        path = Path(client.download_artifacts(run_id, "note.txt"))
        assert path.read_text() == "kept"


def test_default_refuses_two_replicas_in_words(helm: Helm) -> None:
    done = helm(
        "install", "mlflow", "charts/mlflow", "--set", "replicaCount=2", "--dry-run=client", check=False
    )
    assert done.returncode
    assert "mlflow: replicaCount: " in done.stderr, done.stderr


def _log(client: MlflowClient) -> str:
    run = client.create_run("0")
    client.log_metric(run.info.run_id, "accuracy", 0.5)
    client.log_text(run.info.run_id, "kept", "note.txt")
    client.set_terminated(run.info.run_id)
    return run.info.run_id
