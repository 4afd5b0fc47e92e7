"""`artifactStore.presignedUrls`: by default no addresses that only pods can open."""

from typing import Any

import pytest

from render.chart import Chart, azure, s3

VARIABLE = "MLFLOW_KUBERNETES_PRESIGNED_URLS"


@pytest.mark.parametrize(
    ("endpoint", "offered"),
    [
        ("", "true"),
        ("https://s3.eu-central-1.example.com", "true"),
        ("https://minio.example.com:9000", "true"),
        ("http://192.0.2.1:9000", "true"),
        ("http://minio:9000", "false"),
        ("http://minio.storage.svc", "false"),
        ("http://minio.storage.svc.cluster.local:9000/", "false"),
        ("http://seaweedfs.ml.svc.example.internal:8333", "true"),
        ("http://[2001:db8::1]:9000", "true"),
    ],
)
def test_the_endpoint_decides(chart: Chart, endpoint: str, offered: str) -> None:
    """As the NetworkPolicy does: what a selector of pods or namespaces finds is in the cluster."""
    manifest = chart.render({**s3(endpoint=endpoint), "networkPolicy": {"enabled": True}})
    assert manifest.env()[VARIABLE] == offered
    egress = manifest.one("NetworkPolicy")["spec"]["egress"]
    assert ("Selector" in str(egress[-1]["to"])) is (offered == "false")


def test_a_domain_of_its_own(chart: Chart) -> None:
    values = {
        **s3(endpoint="http://seaweedfs.ml.svc.example.internal:8333"),
        "clusterDomain": "example.internal",
    }
    assert chart.render(values).env()[VARIABLE] == "false"


@pytest.mark.parametrize("wanted", [True, False])
def test_the_key_decides_first(chart: Chart, wanted: Any) -> None:
    for endpoint in ("http://minio:9000", "https://minio.example.com"):
        values = s3(endpoint=endpoint)
        values["artifactStore"]["presignedUrls"] = wanted
        assert chart.render(values).env()[VARIABLE] == str(wanted).lower()


def test_other_stores(chart: Chart) -> None:
    assert chart.render(azure()).env()[VARIABLE] == "true"
    assert chart.render().env()[VARIABLE] == "true"
