"""Where artifacts go, who writes them, and with which credentials: each cloud, each mode."""

from pathlib import Path

import pytest

from render.chart import KEYS, MLFLOW, Chart, Json, Manifest, azure, gcs, postgres, s3

ROOT, DESTINATION, SERVES = (
    "MLFLOW_DEFAULT_ARTIFACT_ROOT",
    "MLFLOW_ARTIFACTS_DESTINATION",
    "MLFLOW_SERVE_ARTIFACTS",
)
STORES: dict[str, tuple[Json, str]] = {
    "s3": (s3(path="a/b"), "s3://models/a/b"),
    "azure": (azure(), "wasbs://models@account.blob.core.windows.net"),
    "azure folder": (azure(path="a/b"), "wasbs://models@account.blob.core.windows.net/a/b"),
    "data lake": (azure(scheme="abfss"), "abfss://models@account.dfs.core.windows.net"),
    "azure in china": (
        azure(domain="core.chinacloudapi.cn"),
        "wasbs://models@account.blob.core.chinacloudapi.cn",
    ),
    "gcs": (gcs(path="a"), "gs://models/a"),
}
SHARED = [each[0] for each in STORES.values()]


def example(name: str) -> Manifest:
    return MLFLOW.render(Path(MLFLOW.folder / f"ci/{name}-values.yaml"))


def in_mode(values: Json, mode: str) -> Json:
    return {"artifactStore": {**values["artifactStore"], "mode": mode}}


@pytest.mark.parametrize("store", STORES)
def test_the_server_passes_artifacts_on(chart: Chart, store: str) -> None:
    values, uri = STORES[store]
    env = chart.render(values).env()
    assert env[DESTINATION] == uri
    assert not {ROOT, SERVES} & set(env)


@pytest.mark.parametrize("store", STORES)
def test_or_clients_write_themselves(chart: Chart, store: str) -> None:
    """Never half of both: a root that clients write to while the server alone has the keys."""
    values, uri = STORES[store]
    env = chart.render(in_mode(values, "direct")).env()
    assert (env[ROOT], env[SERVES]) == (uri, "false")
    assert DESTINATION not in env


def test_no_example_does_half_of_both(rendered: Manifest) -> None:
    assert len({ROOT, DESTINATION} & set(rendered.env())) == 1


@pytest.mark.parametrize("values", SHARED)
def test_any_object_store_may_be_shared(chart: Chart, values: Json) -> None:
    manifest = chart.render({**postgres(), **values, **KEYS, "replicaCount": 2})
    assert not [item for item in manifest.objects if item["kind"] == "PersistentVolumeClaim"]


def sources(manifest: Manifest, container: str = "mlflow") -> dict[str, Json]:
    """Variables that come from a Secret."""
    entries = manifest.container(container)["env"]
    return {
        entry["name"]: entry["valueFrom"]["secretKeyRef"]
        for entry in entries
        if "secretKeyRef" in entry.get("valueFrom", {})
    }


def test_azure_with_a_key_and_a_private_name() -> None:
    """Kubernetes writes the key into the connection string, in the pod and nowhere else."""
    manifest = example("azure")
    assert sources(manifest)["AZURE_STORAGE_ACCESS_KEY"] == {"name": "storage-account", "key": "key1"}
    names = [entry["name"] for entry in manifest.container()["env"]]
    assert manifest.env()["AZURE_STORAGE_CONNECTION_STRING"] == (
        "AccountName=mycompany;AccountKey=$(AZURE_STORAGE_ACCESS_KEY);"
        "BlobEndpoint=https://mycompany.privatelink.blob.core.windows.net"
    )
    assert names.index("AZURE_STORAGE_ACCESS_KEY") < names.index("AZURE_STORAGE_CONNECTION_STRING")


def test_azure_by_identity() -> None:
    """No key, and the label by which Azure's webhook finds the pods on each that looks at the store."""
    manifest = example("azure-identity")
    assert "secretKeyRef" not in manifest.text
    assert not [name for name in manifest.env() if name.startswith("AZURE")]
    for name, pod in manifest.pods():
        assert pod["metadata"]["labels"]["azure.workload.identity/use"] == "true", name
    annotations = manifest.one("ServiceAccount")["metadata"]["annotations"]
    assert "azure.workload.identity/client-id" in annotations


def test_gcs_by_identity() -> None:
    manifest = example("gcs-identity")
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in manifest.env()
    assert "secret" not in {key for volume in manifest.server()["volumes"] for key in volume}
    assert "iam.gke.io/gcp-service-account" in manifest.one("ServiceAccount")["metadata"]["annotations"]


def test_gcs_with_a_key() -> None:
    """The file is where the variable says, in every container that reaches the store."""
    manifest = example("gcs")
    exporter = manifest.component("Deployment", "exporter")["spec"]["template"]["spec"]
    for spec, box in (
        (manifest.server(), manifest.container()),
        (manifest.server(), manifest.container("schema")),
        (exporter, exporter["containers"][0]),
    ):
        (volume,) = [each for each in spec["volumes"] if each["name"] == "gcs-credentials"]
        assert volume["secret"] == {
            "secretName": "gcs-writer",
            "items": [{"key": "key.json", "path": "credentials.json"}],
        }
        (mount,) = [each for each in box["volumeMounts"] if each["name"] == "gcs-credentials"]
        env = {entry["name"]: entry.get("value") for entry in box["env"]}
        assert env["GOOGLE_APPLICATION_CREDENTIALS"] == f"{mount['mountPath']}/credentials.json"


@pytest.mark.parametrize("mode", ["proxied", "direct"])
def test_helm_test_is_a_client(chart: Chart, mode: str) -> None:
    """It has the store's credentials only where clients need them."""
    values = in_mode(
        azure(endpoint="https://blob", credentialsFromSecret={"enabled": True, "name": "account"}), mode
    )
    (container,) = chart.render(values).one("Pod", "mlflow-test")["spec"]["containers"]
    names = {entry["name"] for entry in container["env"]}
    wanted = {"AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_CONNECTION_STRING"}
    assert wanted & names == (wanted if mode == "direct" else set())


@pytest.mark.parametrize("mode", ["proxied", "direct"])
def test_helm_test_has_the_google_key(chart: Chart, mode: str) -> None:
    values = in_mode(gcs(credentialsFromSecret={"enabled": True, "name": "key"}), mode)
    pod = chart.render(values).one("Pod", "mlflow-test")["spec"]
    assert (len(pod["volumes"]), len(pod["containers"][0]["volumeMounts"])) == (
        (2, 2) if mode == "direct" else (1, 1)
    )


SERVICES: dict[str, tuple[Json, list[tuple[str, int]]]] = {
    "s3": (s3(endpoint="http://192.0.2.1:8333"), [("192.0.2.1/32", 8333)]),
    "azure": (
        azure(endpoint="https://192.0.2.2/account", credentialsFromSecret={"enabled": True}),
        [("192.0.2.2/32", 443)],
    ),
    "azure by name": (azure(), [("0.0.0.0/0", 443)]),
    "gcs": (gcs(endpoint="http://192.0.2.3:4443"), [("192.0.2.3/32", 4443)]),
    "gcs by identity": (
        gcs(),
        [
            ("0.0.0.0/0", 443),
            ("169.254.169.254/32", 80),
            ("169.254.169.252/32", 987),
            ("169.254.169.252/32", 988),
        ],
    ),
}


@pytest.mark.parametrize("store", SERVICES)
def test_the_network_policy_lets_pods_reach_the_store(chart: Chart, store: str) -> None:
    values, wanted = SERVICES[store]
    manifest = chart.render({**values, "networkPolicy": {"enabled": True}})
    rules = [
        (peer["ipBlock"]["cidr"], port["port"])
        for rule in manifest.one("NetworkPolicy")["spec"]["egress"]
        for peer in rule.get("to", [])
        for port in rule.get("ports", [])
        if "ipBlock" in peer and port["port"] not in (53, 5353)
    ]
    assert set(wanted) <= set(rules)
    assert {cidr for cidr, _ in rules} - {"::/0"} == {cidr for cidr, _ in wanted}
