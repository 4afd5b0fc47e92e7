"""The examples of examples/values that only a cluster can show: installed as they are, each logs a run."""

import secrets
import shlex
from pathlib import Path
from typing import Any

import yaml
from mlflow import MlflowClient
from mlflowops.paths import REPO

from e2e.company import Company
from e2e.forward import port_forward
from e2e.helm import OUR_IMAGE, Helm
from e2e.kube import Kube, client_pod, eventually
from e2e.stores import s3_client
from e2e.up import run

FOLDER = REPO / "examples/values"
LOG = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
with mlflow.start_run():
    mlflow.log_text("from another pod", "note.txt")
    assert mlflow.artifacts.load_text(mlflow.get_artifact_uri("note.txt")) == "from another pod"
print("logged")
"""


def example(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / f"{name}.yaml").read_text()))


def commands(file: str, namespace: str) -> list[str]:
    """The commands in the head of an example, for a namespace of the test's own."""
    lines = (FOLDER / file).read_text().replace("\\\n#", "").splitlines()
    found = [line.strip("# ").removeprefix("Install: ") for line in lines if line.startswith("#")]
    starts = ("helm install ", "helm dependency ", "kubectl create ")
    return [each.replace("-n ml", f"-n {namespace}") for each in found if each.startswith(starts)]


def logs_a_run(kubeconfig: Path, namespace: str, service: str = "mlflow") -> str:
    """A run with an artifact, written and read from this machine."""
    with port_forward(kubeconfig, namespace, f"service/{service}", 5000) as url:
        client = MlflowClient(url)
        run_id = client.create_run("0").info.run_id
        client.log_text(run_id, "kept", "note.txt")
        assert Path(client.download_artifacts(run_id, "note.txt")).read_text() == "kept"
        return str(run_id)


def type_all(kubeconfig: Path, namespace: str, file: str, more: str) -> None:
    """Type what the head of an example says; `more` stands behind the last command."""
    *before, install = commands(file, namespace)
    assert before and install.startswith("helm install ")
    for command in before:
        run(command, kubeconfig)
    run(f"{install} {more} --wait --timeout 360s", kubeconfig)


def test_database_beside(kube: Kube, kubeconfig: Path, namespace: str) -> None:
    """Its role and password are in one Secret, and the policy lets the pods out to it."""
    image = " ".join(f"--set image.{key}={value}" for key, value in OUR_IMAGE.items())
    type_all(kubeconfig, namespace, "database-beside.yaml", image)
    run_id = logs_a_run(kubeconfig, namespace)
    password = shlex.quote(kube.read_secret(namespace, "postgres")["password"])
    query = f"PGPASSWORD={password} psql -h 127.0.0.1 -U mlflow -tAc 'SELECT run_uuid FROM runs'"
    assert kube.exec(namespace, "postgres-0", ["sh", "-c", query]).strip() == run_id
    assert kube.restarts(namespace) == 0


def test_umbrella(kube: Kube, kubeconfig: Path, namespace: str) -> None:
    """MLflow is in the release as long as its condition holds; its database is there before and after."""
    image = " ".join(f"--set mlflow.image.{key}={value}" for key, value in OUR_IMAGE.items())
    type_all(kubeconfig, namespace, "umbrella/Chart.yaml", f"{image} --set mlflow.enabled=false")
    assert kube.ready(namespace, 1, "app=postgresql") and not kube.pods(namespace)
    upgrade = f"helm upgrade ml examples/values/umbrella -n {namespace} --wait --timeout 360s {image}"
    run(upgrade, kubeconfig)
    logs_a_run(kubeconfig, namespace, "ml-mlflow")
    run(f"{upgrade} --set mlflow.enabled=false", kubeconfig)
    eventually(lambda: not kube.pods(namespace), 60, "the end of MLflow's pods")
    assert kube.ready(namespace, 1, "app=postgresql")


def test_homelab(kube: Kube, helm: Helm, namespace: str) -> None:
    """People reach it by the name that external-dns publishes, from the listed addresses and no others.

    The test is the load balancer: it gives the Service its address, and the name to a pod.
    """
    values = example("homelab")
    annotations = values["service"]["annotations"]
    address = annotations["metallb.io/loadBalancerIPs"]
    name = annotations["external-dns.alpha.kubernetes.io/hostname"]
    helm.install(namespace, values)
    given = {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}
    kube.core.patch_namespaced_service_status("mlflow", namespace, given)
    with kube.client_pod(namespace, "stranger") as stranger:
        reach = f"curl -sm 5 -o /dev/null -w '%{{http_code}}' http://{address}/health || true"
        # The inside of the cluster is not in the list; Service `mlflow` leads to the same pods.
        assert kube.exec(namespace, stranger, ["sh", "-c", reach]) == "000"
        inside = reach.replace(address, "mlflow")
        assert kube.exec(namespace, stranger, ["sh", "-c", inside]) == "200"
    values["service"]["loadBalancerSourceRanges"].append("10.0.0.0/8")
    helm.install(namespace, values)
    pod = client_pod("resident", ["python", "-c", LOG, f"http://{name}"])
    pod["spec"]["hostAliases"] = [{"ip": address, "hostnames": [name]}]
    kube.core.create_namespaced_pod(namespace, pod)
    eventually(lambda: "logged" in kube.logs(namespace, "resident"), 90, "a run by the name of the server")


def test_company(kube: Kube, helm: Helm, kubeconfig: Path, namespace: str) -> None:
    """The private CA alone makes database and object store trusted; the proxy alone leads to the store."""
    company = Company(kube, namespace, "seaweedfs.ml.svc.cluster.local")
    kube.secret(namespace, "mlflow-s3-secret", kube.read_secret("ml", "mlflow-s3-secret"))
    values = example("company")
    bucket, s3 = f"company-{secrets.token_hex(4)}", s3_client(kube)
    s3.create_bucket(Bucket=bucket)
    values["artifactStore"]["s3"]["bucket"] = bucket
    helm.install(namespace, {**values, "hostAliases": company.host_aliases()}, wait="180s")
    run_id = logs_a_run(kubeconfig, namespace)
    found = s3.get_object(Bucket=bucket, Key=f"0/{run_id}/artifacts/note.txt")
    assert found["Body"].read() == b"kept"
    assert company.asked_of_the_proxy() == {"CONNECT s3.company.example.com:443"}
    helm("test", "mlflow", "--namespace", namespace, "--timeout", "360s")
    assert kube.restarts(namespace) == 0
