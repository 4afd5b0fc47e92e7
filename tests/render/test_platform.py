"""The charts of the platform: exactly these objects, the pinned versions, all of it restricted."""

import pytest
from testbed.images.recipes import config
from testbed.tools import tool

from render.chart import PLATFORM, Json, Manifest
from testbed import platform_parts
from testbed.images import programs

OBJECTS = {
    "traefik": [
        "ClusterRole/traefik",
        "ClusterRoleBinding/traefik",
        "Deployment/traefik",
        "Gateway/traefik",
        "GatewayClass/traefik",
        "IngressClass/nginx",
        "IngressClass/traefik",
        "Service/traefik",
        "ServiceAccount/traefik",
    ],
    "cert-manager": [
        "Certificate/local-ca",
        "ClusterIssuer/letsencrypt-prod",
        "ClusterIssuer/local-ca",
        "ClusterIssuer/self-signed",
        "ClusterRole/cert-manager",
        "ClusterRoleBinding/cert-manager",
        "Deployment/cert-manager",
        "ServiceAccount/cert-manager",
    ],
    "external-secrets": [
        "ClusterRole/external-secrets",
        "ClusterRoleBinding/external-secrets",
        "Deployment/external-secrets",
        "ServiceAccount/external-secrets",
    ],
    "monitoring": [
        "ClusterRole/prometheus",
        "ClusterRole/prometheus-operator",
        "ClusterRoleBinding/prometheus",
        "ClusterRoleBinding/prometheus-operator",
        "Deployment/prometheus-operator",
        "Prometheus/prometheus",
        "Service/prometheus",
        "ServiceAccount/prometheus",
        "ServiceAccount/prometheus-operator",
        "ServiceMonitor/kubelet",
    ],
}


def render(part: str, values: Json | None = None) -> Manifest:
    """As helmfile installs it: release and namespace have the part's name."""
    return PLATFORM[part].render(values, release=part, namespace=part)


@pytest.mark.parametrize("part", OBJECTS)
def test_objects(part: str) -> None:
    assert render(part).names() == OBJECTS[part]


def test_every_part_is_a_chart() -> None:
    assert OBJECTS.keys() == PLATFORM.keys()


def test_the_images_are_those_of_the_pinned_programs() -> None:
    """A bump in tools.toml that forgets a chart would start an image that was not built."""
    text = "".join(render(part).text for part in platform_parts.PARTS)
    for program in config()["programs"][platform_parts.IMAGES]:
        assert f"{programs.ref(program)}\n" in text
    assert text.count("localhost/") == len(config()["programs"][platform_parts.IMAGES])


@pytest.mark.parametrize("part", OBJECTS)
def test_the_chart_says_the_version_that_it_runs(part: str) -> None:
    program = "prometheus" if part == "monitoring" else part
    assert f'app.kubernetes.io/version: "{tool(program).version}"\n' in render(part).text


def test_prometheus_is_restricted() -> None:
    """The operator makes its pod, with containers that are restricted already."""
    spec = render("monitoring").one("Prometheus", "prometheus")["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize("kind", ["serviceMonitor", "podMonitor", "probe", "rule"])
def test_prometheus_takes_what_every_namespace_has(kind: str) -> None:
    spec = render("monitoring").one("Prometheus", "prometheus")["spec"]
    assert spec[f"{kind}Selector"] == {} == spec[f"{kind}NamespaceSelector"]


@pytest.mark.parametrize(
    ("type_", "address"), [("ClusterIP", "hostname=traefik."), ("LoadBalancer", "publishe")]
)
def test_traefik_says_its_address(type_: str, address: str) -> None:
    deployment = render("traefik", {"service": {"type": type_}}).one("Deployment", "traefik")
    args = " ".join(deployment["spec"]["template"]["spec"]["containers"][0]["args"])
    assert f"kubernetesingress.ingressendpoint.{address}" in args
