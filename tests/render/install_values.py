"""What the values files of docs/install do: one function for each, as `CASES` of test_example_values.py."""

from collections.abc import Iterator

from render.chart import Chart, Json, Manifest
from render.expansion import containers


def opening(manifest: Manifest) -> Iterator[tuple[Json, Json]]:
    """Each pod with each of its containers that opens the database, and its variables by name."""
    for _, pod in manifest.pods():
        for each in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            env = {entry["name"]: entry for entry in each.get("env", [])}
            if "MLFLOW_BACKEND_STORE_URI" in env:
                yield pod, {**each, "env": env}


def ways_out(manifest: Manifest) -> list[str]:
    """The blocks of addresses that the policy lets out to."""
    rules = manifest.one("NetworkPolicy")["spec"]["egress"]
    peers = [peer for rule in rules for peer in rule.get("to", [])]
    return [peer["ipBlock"]["cidr"] for peer in peers if "ipBlock" in peer]


def laptop(chart: Chart, values: Json) -> None:
    """One pod with one container, and a claim of 2 GiB."""
    manifest = chart.render(values)
    pod = manifest.one("Deployment")["spec"]["template"]["spec"]
    assert [each["name"] for each in pod["containers"]] == ["mlflow"]
    assert manifest.one("PersistentVolumeClaim")["spec"]["resources"]["requests"]["storage"] == "2Gi"


def eks(chart: Chart, values: Json) -> None:
    """Tokens and roles only: the pods of backups have a role of their own."""
    manifest = chart.render(values)
    accounts: dict[str, set[str]] = {}
    for pod, each in opening(manifest):
        assert each["env"]["MLFLOW_KUBERNETES_POSTGRES_LOGIN"]["value"] == "awsIam"
        assert not {"PGPASSWORD", "AWS_ACCESS_KEY_ID"} & set(each["env"])
        accounts.setdefault(pod["spec"]["serviceAccountName"], set()).add(each["name"])
    assert set(accounts) == {"mlflow", "mlflow-backup"}
    assert {"backup", "restore", "drill"} == accounts["mlflow-backup"]
    roles = {
        item["metadata"]["name"]: item["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
        for item in manifest.objects
        if item["kind"] == "ServiceAccount"
    }
    assert len(set(roles.values())) == 2
    assert manifest.one("Ingress")["spec"]["ingressClassName"] == "alb"


def aks(chart: Chart, values: Json) -> None:
    """A token of Entra ID, in pods that Workload Identity knows, behind a Gateway."""
    manifest = chart.render(values)
    for pod, each in opening(manifest):
        assert each["env"]["MLFLOW_KUBERNETES_POSTGRES_LOGIN"]["value"] == "entra"
        assert not {"PGPASSWORD", "AZURE_STORAGE_ACCESS_KEY"} & set(each["env"])
        assert pod["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    assert manifest.one("HTTPRoute")["spec"]["hostnames"] == ["mlflow.example.com"]


def gke(chart: Chart, values: Json) -> None:
    """The certificate of the instance is checked, and only its address is open for the database."""
    manifest = chart.render(values)
    for _, each in opening(manifest):
        assert each["env"]["PGSSLMODE"]["value"] == "verify-ca"
        assert "GOOGLE_APPLICATION_CREDENTIALS" not in each["env"]
    assert "10.20.0.3/32" in ways_out(manifest)
    accounts = {item["metadata"]["name"] for item in manifest.objects if item["kind"] == "ServiceAccount"}
    assert accounts == {"mlflow", "mlflow-backup"}


def openshift(chart: Chart, values: Json) -> None:
    """No pod names a user or a group; containers that open a store have the CA of the Services."""
    manifest = chart.render(values)
    for _, pod in manifest.pods():
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & set(pod["spec"]["securityContext"])
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    for _, each in opening(manifest):
        assert each["env"]["AWS_CA_BUNDLE"]["value"] == "/etc/service-ca/service-ca.crt"
        assert "/etc/service-ca" in {mount["mountPath"] for mount in each["volumeMounts"]}
    annotations = manifest.one("Ingress")["metadata"]["annotations"]
    assert annotations["route.openshift.io/termination"] == "edge"


def bare_metal(chart: Chart, values: Json) -> None:
    """The database by the operator's Secret, the object store by its namespace; no address is open."""
    manifest = chart.render(values)
    for _, each in opening(manifest):
        assert each["env"]["PGHOST"]["valueFrom"]["secretKeyRef"]["name"] == "mlflow-db-app"
    assert ways_out(manifest) == ["169.254.20.10/32"], "the cache of DNS on each node"
    assert (
        manifest.one("Ingress")["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "company-ca"
    )


def air_gapped(chart: Chart, values: Json) -> None:
    """Every image from the one registry, with its login; two addresses outside, the stores."""
    manifest = chart.render(values)
    for item in manifest.objects:
        for each in containers(item):
            assert each["image"].startswith("registry.example.com/"), each["name"]
    for _, pod in manifest.pods():
        assert {"name": "registry-login"} in pod["spec"]["imagePullSecrets"]
    assert set(ways_out(manifest)) == {"169.254.20.10/32", "10.20.0.5/32", "10.20.0.6/32"}


INSTALL = {
    "air-gapped": air_gapped,
    "aks": aks,
    "bare-metal": bare_metal,
    "eks": eks,
    "gke": gke,
    "laptop": laptop,
    "openshift": openshift,
}
