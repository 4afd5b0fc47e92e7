"""`auth.mode: kubernetes` behind a gateway that names users in a header: examples/kubeflow without a mesh."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflowops.paths import REPO

from e2e.exposure import reached
from e2e.helm import Helm
from e2e.kube import Kube, client_pod, eventually
from e2e.leaks import remove
from e2e.stores import Database, shared_stores
from e2e.test_kubernetes_auth import PLUGIN_IMAGE, bind_subject
from e2e.up import load_image, run

A, B, GATEWAY = "header-a", "header-b", "header-gateway"
LABELS = {"app": "istio-ingressgateway"}
ANNA = "anna@example.com"
PROFILE = {"app.kubernetes.io/part-of": "kubeflow-profile"}
ROLE = REPO / "examples/kubeflow/roles.yaml"
# Sends one request for each pair of a path and headers, and prints the status and the names in the answer.
ASK = """
import json, sys, requests
url, calls = sys.argv[1], json.loads(sys.argv[2])
for path, headers in calls:
    body = {"name": "x", "max_results": 10}
    method, sent = ("GET", None) if path.endswith("workspaces") else ("POST", body)
    answer = requests.request(method, url + path, headers=headers, json=sent, timeout=60)
    names = [each["name"] for each in answer.json().get("workspaces", [])] if answer.ok else []
    print(answer.status_code, *names)
"""


@pytest.fixture(scope="module")
def url(kube: Kube, helm: Helm, kubeconfig: Path, shared_namespace: str) -> Iterator[str]:
    """A server with the values of the example, and a pod that stands in for the gateway."""
    load_image("mlflow-kubernetes", kubeconfig)
    run(f"kubectl apply -f {ROLE}", kubeconfig)
    for namespace in (A, B, GATEWAY):
        kube.create_namespace(namespace)
        if namespace != GATEWAY:
            kube.core.patch_namespace(namespace, {"metadata": {"labels": PROFILE}})
    subject = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": ANNA}
    bind_subject(kube, A, "anna", "mlflow-kubeflow-edit", subject)
    text = (REPO / "examples/kubeflow/values.yaml").read_text().replace("istio-system", GATEWAY)
    values: dict[str, Any] = {
        **yaml.safe_load(text),
        "replicaCount": 1,
        "image": PLUGIN_IMAGE,
        "podLabels": {},
    }
    values |= shared_stores(kube, shared_namespace, Database.create(kube, shared_namespace))
    values["backendStore"]["postgres"] |= {"poolSize": 10, "maxOverflow": 40}
    helm.install(shared_namespace, values, wait="300s")
    pod = client_pod("gateway", ["sleep", "3600"])
    pod["metadata"]["labels"] = LABELS
    kube.core.create_namespaced_pod(GATEWAY, pod)
    eventually(
        lambda: kube.core.read_namespaced_pod("gateway", GATEWAY).status.phase == "Running", 90, "the gateway"
    )
    yield f"http://mlflow.{shared_namespace}.svc.cluster.local/mlflow"
    for namespace in (A, B, GATEWAY):
        remove(kube, namespace)
    run(f"kubectl delete -f {ROLE}", kubeconfig)


def ask(kube: Kube, url: str, calls: list[tuple[str, dict[str, str]]]) -> list[str]:
    """Return the lines that the pod of the gateway prints."""
    return kube.exec(GATEWAY, "gateway", ["python", "-c", ASK, url, json.dumps(calls)]).splitlines()


def test_only_the_gateway_connects(kube: Kube, url: str, shared_namespace: str) -> None:
    server = f"mlflow.{shared_namespace}.svc.cluster.local:80"
    reached(kube, GATEWAY, "like-the-gateway", [server], LABELS, [server])
    reached(kube, GATEWAY, "beside-the-gateway", [server], {"app": "client"}, [])
    reached(kube, A, "labels-of-the-gateway", [server], LABELS, [])


def test_the_user_of_the_header_has_the_roles_of_kubernetes(kube: Kube, url: str) -> None:
    create = "/api/2.0/mlflow/experiments/create"
    masters = {"X-Remote-Groups": "system:masters", "no-header": "system:masters", "x-remote-user": "admin"}
    calls = [
        (create, {"kubeflow-userid": ANNA, "X-MLFLOW-WORKSPACE": A}),
        (create, {"kubeflow-userid": ANNA, "X-MLFLOW-WORKSPACE": B}),
        (create, {"kubeflow-userid": ANNA, "X-MLFLOW-WORKSPACE": B, **masters}),
        (create, {"kubeflow-userid": "bert@example.com", "X-MLFLOW-WORKSPACE": A}),
        (create, {"X-MLFLOW-WORKSPACE": A, **masters}),
        ("/api/3.0/mlflow/workspaces", {"kubeflow-userid": ANNA}),
    ]
    # Kubeflow's role is made of the labelled ones by its controller; here Anna is bound to the labelled one.
    eventually(lambda: ask(kube, url, calls[5:]) == [f"200 {A}"], 40, "Anna's workspace")
    assert ask(kube, url, calls) == ["200", "403", "403", "403", "401", f"200 {A}"]


def test_a_groups_header_reaches_no_server(kube: Kube, url: str) -> None:
    """The name that the plugin reads has a dot. The gate removes such headers."""
    named = {"kubeflow-userid": ANNA, "X-MLFLOW-WORKSPACE": B, "no.header": "system:masters"}
    assert ask(kube, url, [("/api/2.0/mlflow/experiments/create", named)]) == ["403"]
