"""The platform without MLflow: what a production cluster has is really here, for other tests to build on."""

import json
from pathlib import Path

import pytest
import requests
from kubernetes import client

from e2e.kube import Kube, eventually
from e2e.leaks import look
from e2e.platform import Platform
from e2e.stores import NASTY
from e2e.up import run

PODS = {"traefik": 1, "cert-manager": 1, "external-secrets": 1, "monitoring": 2}


@pytest.fixture
def web(platform: Platform, kube: Kube, namespace: str) -> str:
    """The namespace of a web server with a Service `web`."""
    platform.apply(namespace, "web")
    kube.wait_ready(namespace, 1, selector="app=web")
    return namespace


def test_all_parts_run_in_restricted_namespaces(platform: Platform, kube: Kube) -> None:
    for name, count in PODS.items():
        labels = kube.core.read_namespace(name).metadata.labels
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        kube.wait_ready(name, count, selector="")


def test_a_second_apply_would_change_nothing(platform: Platform, kubeconfig: Path) -> None:
    command = "mlflowops helmfile -e local --state-values-set platform.enabled=true diff --detailed-exitcode"
    done = run(command, kubeconfig, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("class_name", ["traefik", "nginx"])
def test_an_ingress_gets_its_certificate(platform: Platform, web: str, class_name: str) -> None:
    host = f"{class_name}.example.com"
    platform.apply(web, "ingress", host=host, class_name=class_name)
    assert platform.served(f"https://{host}/").text == "hello\n"
    with pytest.raises(requests.exceptions.SSLError):
        platform.request("GET", f"https://{host}/", verify=True)  # by the authorities that the machine trusts
    assert platform.request("GET", f"http://other-{host}/").status_code == 404


@pytest.mark.parametrize("class_name", ["traefik", "nginx"])
def test_an_ingress_says_where_it_is_served(
    platform: Platform, kube: Kube, web: str, class_name: str
) -> None:
    platform.apply(web, "ingress", host=f"status-{class_name}.example.com", class_name=class_name)

    def address() -> str:
        (found,) = client.NetworkingV1Api(kube.api).list_namespaced_ingress(web).items
        return "".join(each.hostname for each in found.status.load_balancer.ingress or [])

    eventually(lambda: address() == "traefik.traefik.svc.cluster.local", 30, "Traefik in the Ingress")


def test_annotations_for_nginx_are_understood(platform: Platform, web: str) -> None:
    platform.apply(web, "ingress", host="annotated.example.com", class_name="nginx")
    platform.served("https://annotated.example.com/")
    plain = platform.request("GET", "http://annotated.example.com/")
    assert plain.is_redirect
    assert plain.headers["location"] == "https://annotated.example.com/"
    too_large = platform.request("POST", "https://annotated.example.com/", data=b"x" * 2000)
    assert too_large.status_code == 413


def test_an_httproute_is_served_by_the_shared_gateway(platform: Platform, web: str) -> None:
    shared = {"gateway": "traefik", "gateway_namespace": "traefik"}
    platform.apply(web, "httproute", host="route.example.com", **shared)
    assert platform.served("http://route.example.com/").text == "hello\n"


def test_an_httproute_is_served_with_tls_by_a_gateway_of_its_own(platform: Platform, web: str) -> None:
    host = "tls-route.example.com"
    platform.apply(web, "gateway", host=host)
    platform.apply(web, "httproute", host=host, gateway="web", gateway_namespace=web)
    assert platform.served(f"https://{host}/").text == "hello\n"


def password(kube: Kube, namespace: str) -> str:
    """What the synced Secret holds, nothing as long as it is not there."""
    found = {each.metadata.name for each in kube.core.list_namespaced_secret(namespace).items}
    return kube.read_secret(namespace, "synced")["password"] if "synced" in found else ""


def test_a_secret_comes_from_a_cluster_wide_store(platform: Platform, kube: Kube, namespace: str) -> None:
    store = {"name": f"fake-{namespace}", "key": "/ml/mlflow/postgres"}
    # JSON in a JSON string, which is YAML too.
    platform.apply(namespace, "fake-store", value=json.dumps(json.dumps({"password": NASTY})), **store)
    platform.apply(namespace, "external-secret", store="ClusterSecretStore", **store)
    eventually(lambda: password(kube, namespace) == NASTY, 30, "the Secret with every character")


def test_a_secret_follows_its_rotation(platform: Platform, kube: Kube, namespace: str) -> None:
    kube.secret(namespace, "source", {"password": NASTY})
    platform.apply(namespace, "kubernetes-store")
    platform.apply(namespace, "external-secret", store="SecretStore", name="vault", key="source")
    eventually(lambda: password(kube, namespace) == NASTY, 30, "the Secret")
    kube.secret(namespace, "source", {"password": "rotated"})
    eventually(lambda: password(kube, namespace) == "rotated", 30, "the rotated Secret")


def test_prometheus_scrapes_a_servicemonitor_and_evaluates_rules(platform: Platform, web: str) -> None:
    platform.apply(web, "servicemonitor")
    found = eventually(lambda: platform.query(f'demo_value{{namespace="{web}"}}'), 120, "the scraped value")
    assert [each["value"][1] for each in found] == ["42"]
    assert (found[0]["metric"]["service"], found[0]["metric"]["pod"]) == ("web", "web")
    eventually(lambda: "DemoIsHigh" in platform.firing(), 60, "the alert firing")


def test_prometheus_scrapes_a_podmonitor(platform: Platform, web: str) -> None:
    platform.apply(web, "podmonitor")
    eventually(lambda: platform.query(f'demo_value{{namespace="{web}"}}'), 120, "the scraped value")


def test_no_log_of_the_platform_holds_a_secret(platform: Platform, kube: Kube) -> None:
    seen = {name: look(kube, name) for name in PODS}
    assert all(each.logs for each in seen.values()), seen
    assert not {name: each.found for name, each in seen.items() if each.found}
