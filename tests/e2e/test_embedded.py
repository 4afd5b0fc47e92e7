"""The chart's default: `helm install mlflow charts/mlflow` and nothing else; then with backups."""

import json
import secrets
from pathlib import Path

import pytest
import requests
from mlflow import MlflowClient

from e2e.forward import port_forward
from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.stores import s3_client
from e2e.up import run

SMALL = {"requests": {"cpu": "20m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}


@pytest.fixture(scope="module")
def namespace(shared_namespace: str) -> str:
    """One installation, which the tests change in their order."""
    return shared_namespace


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


def test_the_volume_is_backed_up_and_restored(
    kube: Kube, helm: Helm, kubeconfig: Path, namespace: str
) -> None:
    """Beside the server that has the volume; a restore brings back runs and files, a drill tries it."""
    bucket = f"embedded-{secrets.token_hex(3)}"
    s3_client(kube).create_bucket(Bucket=bucket)
    kube.secret(namespace, "mlflow-backup-secret", kube.read_secret("ml", "mlflow-s3-secret"))
    place = {"endpoint": "http://seaweedfs.ml.svc.cluster.local:8333", "region": "us-east-1"}
    keys = {"credentialsFromSecret": {"enabled": True}, "drill": {"enabled": True}, "resources": SMALL}
    backup = {"enabled": True, "store": "s3", "bucket": bucket, **place, **keys}
    # Tasks reach what they need by the policy, and nothing else.
    helm.install(namespace, {"backup": backup, "networkPolicy": {"enabled": True}})
    with port_forward(kubeconfig, namespace, "service/mlflow", 5000) as url:
        run_id = _log(MlflowClient(url))
    _ops(kubeconfig, namespace, "backup now")
    (listed,) = json.loads(
        _ops(kubeconfig, namespace, "backup list --output json").partition("\n]")[0] + "\n]"
    )
    assert listed["rows"]["main.runs"] >= 1
    with port_forward(kubeconfig, namespace, "service/mlflow", 5000) as url:
        client = MlflowClient(url)
        client.delete_run(run_id)
        lost = _log(client)
    said = _ops(kubeconfig, namespace, f"restore {listed['name']} --yes")
    assert "as counted" in said
    assert kube.ready(namespace, 1)
    with port_forward(kubeconfig, namespace, "service/mlflow", 5000) as url:
        client = MlflowClient(url)
        assert client.get_run(run_id).info.lifecycle_stage == "active"
        assert Path(client.download_artifacts(run_id, "note.txt")).read_text() == "kept"
        assert lost not in {each.info.run_id for each in client.search_runs(["0"])}
    run(f"kubectl create job -n {namespace} --from=cronjob/mlflow-drill drill", kubeconfig)
    run(f"kubectl wait -n {namespace} job/drill --for=condition=Complete --timeout=180s", kubeconfig)
    with port_forward(kubeconfig, namespace, "service/mlflow-metrics", 9464) as url:

        def says(line: str) -> bool:
            return line in requests.get(f"{url}/metrics", timeout=10).text

        for task in ("backup", "drill"):
            eventually(lambda task=task: says(f'mlflow_task_failed{{task="{task}"}} 0.0'), 90, task)


def test_default_refuses_two_replicas_in_words(helm: Helm) -> None:
    done = helm(
        "install", "mlflow", "charts/mlflow", "--set", "replicaCount=2", "--dry-run=client", check=False
    )
    assert done.returncode
    assert "mlflow: replicaCount: " in done.stderr, done.stderr


def _ops(kubeconfig: Path, namespace: str, words: str) -> str:
    done = run(f"mlflowops {words} --namespace {namespace}", kubeconfig)
    return done.stdout + done.stderr


def _log(client: MlflowClient) -> str:
    run = client.create_run("0")
    client.log_metric(run.info.run_id, "accuracy", 0.5)
    client.log_text(run.info.run_id, "kept", "note.txt")
    client.set_terminated(run.info.run_id)
    return run.info.run_id
