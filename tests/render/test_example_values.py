"""Each file of examples/values is a whole set of values that does what its head says."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from mlflowops.paths import REPO
from sweep import sweep

from render.chart import Chart, Json, Manifest
from render.expansion import containers
from render.install_values import INSTALL
from testbed import tools

FOLDER = REPO / "examples/values"
EXAMPLES = {
    *(path for path in FOLDER.glob("*.yaml")),
    *(path.parent for path in FOLDER.glob("*/Chart.yaml")),
}
BACKUP = {"enabled": True, "bucket": "backups", "drill": {"enabled": True}}


def values_of(name: str) -> Json:
    """The values of an example."""
    return dict(yaml.safe_load((FOLDER / f"{name}.yaml").read_text()))


def with_everything(values: Json) -> Json:
    """And what needs a database and a bucket, where they are; with a login only the file's own backups."""
    if "artifactStore" in values:
        backup = {**values["backup"], "drill": BACKUP["drill"]} if "backup" in values else BACKUP
        values |= {"jobs": {"enabled": True}} | (
            {} if "auth" in values and backup is BACKUP else {"backup": backup}
        )
        values["backendStore"]["postgres"] |= {"cleanupRunsEnabled": True}
    return values


def everywhere(manifest: Manifest, names: set[str]) -> dict[str, Json]:
    """Each container that opens the database, by its name, with its variables; `names` are all of them."""
    found = {}
    for item in manifest.objects:
        for each in containers(item):
            env = {entry["name"]: entry for entry in each.get("env", [])}
            if "MLFLOW_BACKEND_STORE_URI" in env:
                found[each["name"]] = {**each, "env": env}
    assert set(found) == names
    return found


def secret(name: str, key: str) -> Json:
    return {"secretKeyRef": {"name": name, "key": key}}


ALL = {"mlflow", "schema", "jobs", "exporter", "retention", "backup", "restore", "drill"}


def cloudnativepg(chart: Chart, values: Json) -> None:
    """Opened by the Secret of its cluster and nothing else."""
    keys = {"PGHOST": "host", "PGPORT": "port", "PGDATABASE": "dbname", "PGUSER": "username"}
    keys["PGPASSWORD"] = "password"
    for each in everywhere(chart.render(values), ALL).values():
        assert {name: each["env"][name]["valueFrom"] for name in keys} == {
            name: secret("mlflow-db-app", key) for name, key in keys.items()
        }


def operator_uri(chart: Chart, values: Json) -> None:
    """Opened by the URI and nothing else."""
    for each in everywhere(chart.render(values), ALL).values():
        env = each["env"]
        assert env["MLFLOW_KUBERNETES_POSTGRES_URI"]["valueFrom"] == secret("mlflow-db-app", "uri")
        assert not {"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD"} & set(env)
        assert env["MLFLOW_BACKEND_STORE_URI"]["value"].startswith("postgresql+psycopg2://?")
    assert "PostgreSQL of the URI in Secret mlflow-db-app, TLS require" in chart.notes(values)


def role_from_secret(chart: Chart, values: Json) -> None:
    """Role and password from one Secret, the rest from the values."""
    for each in everywhere(chart.render(values), ALL).values():
        env = each["env"]
        assert env["PGUSER"]["valueFrom"] == secret("mlflow-database", "username")
        assert env["PGPASSWORD"]["valueFrom"] == secret("mlflow-database", "password")
        assert env["PGHOST"]["value"] == "postgres.example.com"


def database_beside(chart: Chart, values: Json) -> None:
    """The policy lets the pods out to the database of the namespace, and to no other address of its port."""
    policy = chart.render(values).one("NetworkPolicy")["spec"]
    (database,) = [
        rule for rule in policy["egress"] if {"port": 5432, "protocol": "TCP"} in rule.get("ports", [])
    ]
    assert database["to"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "postgresql"}}}]


def homelab(chart: Chart, values: Json) -> None:
    """The server answers to the name that external-dns publishes; the ranges reach the load balancer."""
    manifest = chart.render(values)
    service = manifest.one("Service")["spec"]
    assert service["loadBalancerSourceRanges"] == ["192.168.1.0/24"]
    assert service["externalTrafficPolicy"] == "Local"
    assert "mlflow.home.example.com" in str(manifest.env()["MLFLOW_SERVER_ALLOWED_HOSTS"]).split(",")


def company(chart: Chart, values: Json) -> None:
    """Each container that opens a store has the CA and the proxy, and each pod is in the mesh."""
    manifest = chart.render(values)
    for name, each in everywhere(manifest, ALL).items():
        mounted = {mount["mountPath"] for mount in each["volumeMounts"]}
        assert "/etc/company" in mounted, name
        for variable in ("AWS_CA_BUNDLE", "HTTPS_PROXY", "NO_PROXY"):
            assert each["env"][variable]["value"] == values["mlflow"]["env"][variable], name
        assert each["env"]["PGSSLMODE"]["value"] == "verify-full", name
    pods = dict(manifest.pods())
    assert len(pods) == 8, sorted(pods)
    for name, pod in pods.items():
        assert pod["metadata"]["labels"]["sidecar.istio.io/inject"] == "true", name
        assert pod["metadata"]["annotations"]["sidecar.istio.io/nativeSidecar"] == "true", name


def umbrella(chart: Chart, values: Json) -> None:
    """Each part has a switch."""
    both, no_mlflow, no_database = (
        {identity.split("/")[0] for identity in chart.render(more, release="ml").names()}
        for more in ({}, {"mlflow": {"enabled": False}}, {"database": {"enabled": False}})
    )
    assert {"Deployment", "StatefulSet"} <= both
    assert "Deployment" not in no_mlflow and "StatefulSet" in no_mlflow
    assert "Deployment" in no_database and "StatefulSet" not in no_database
    env = {each["name"]: each for each in chart.render({}, release="ml").container("schema")["env"]}
    assert (
        env["PGHOST"]["value"] == chart.render({}, release="ml").one("StatefulSet", "ml")["metadata"]["name"]
    )
    assert env["PGUSER"]["valueFrom"] == secret("postgres", "username")


def opening(manifest: Manifest) -> Iterator[tuple[Json, list[Json]]]:
    """The pods that open the database, each with its containers that do."""
    for _, pod in manifest.pods():
        every = [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
        found = [each for each in every if "MLFLOW_BACKEND_STORE_URI" in str(each.get("env"))]
        if found:
            yield pod, found


def by_token(chart: Chart, values: Json, login: str) -> None:
    """In each container that opens the database, which shares a folder in memory with its pod."""
    seen = set()
    for pod, users in opening(chart.render(values)):
        memory = [each for each in pod["spec"]["volumes"] if each["name"] == "login"]
        assert [each["emptyDir"]["medium"] for each in memory] == ["Memory"]
        labels = pod["metadata"]["labels"]
        assert login == "awsIam" or labels["azure.workload.identity/use"] == "true"
        assert pod["spec"]["serviceAccountName"] == "mlflow"
        for each in users:
            env = {entry["name"]: entry.get("value") for entry in each["env"]}
            seen.add(each["name"])
            assert env["MLFLOW_KUBERNETES_POSTGRES_LOGIN"] == login and "PGPASSWORD" not in env
            (mounted,) = [mount for mount in each["volumeMounts"] if mount["name"] == "login"]
            assert env["PGPASSFILE"] == f"{mounted['mountPath']}/pgpass"
    assert seen == ALL


def rds_iam(chart: Chart, values: Json) -> None:
    """A token of AWS is the only way in."""
    by_token(chart, values, "awsIam")


def azure_entra(chart: Chart, values: Json) -> None:
    """A token of Entra ID is the only way in."""
    by_token(chart, values, "entra")


def cloud_sql_proxy(chart: Chart, values: Json) -> None:
    """A native sidecar before all of them, which ends when they have ended: Jobs end too."""
    seen = set()
    for pod, users in opening(chart.render(values)):
        proxy = pod["spec"]["initContainers"][0]
        assert (proxy["name"], proxy["restartPolicy"]) == ("cloud-sql-proxy", "Always")
        assert proxy["startupProbe"], "the containers after it wait until it has started"
        seen |= {each["name"] for each in users}
    assert seen == ALL


CASES: dict[str, Callable[[Chart, Json], None]] = {
    "azure-entra": azure_entra,
    "cloud-sql-proxy": cloud_sql_proxy,
    "cloudnativepg": cloudnativepg,
    "company": company,
    "database-beside": database_beside,
    "homelab": homelab,
    "operator-uri": operator_uri,
    "rds-iam": rds_iam,
    "role-from-secret": role_from_secret,
    "umbrella": umbrella,
    **INSTALL,
}


@pytest.fixture
def built_umbrella(tmp_path: Path) -> Chart:
    """Its dependencies are folders of this repository, which Helm packs into a copy of it."""
    folder = tmp_path / "examples/values/umbrella"
    shutil.copytree(FOLDER / "umbrella", folder, ignore=shutil.ignore_patterns("charts", "Chart.lock"))
    for part in ("charts", "testbed"):
        (tmp_path / part).symlink_to(REPO / part)
    subprocess.run([tools.ensure("helm"), "dependency", "build", folder], check=True, capture_output=True)
    return Chart(folder)


def test_each_example_has_a_case() -> None:
    assert {path.stem for path in EXAMPLES} == set(CASES)
    assert set(FOLDER.iterdir()) == EXAMPLES


@pytest.mark.parametrize("path", sweep(sorted(EXAMPLES), 4), ids=lambda path: path.stem)
def test_an_example_does_what_it_says(request: pytest.FixtureRequest, chart: Chart, path: Path) -> None:
    """It renders with everything else on that it can have, and its notes name no empty place."""
    if path.is_dir():
        CASES[path.stem](request.getfixturevalue("built_umbrella"), {})
        return
    assert " at :" not in chart.notes(with_everything(values_of(path.stem)))
    CASES[path.stem](chart, with_everything(values_of(path.stem)))


@pytest.mark.parametrize("path", sorted(EXAMPLES), ids=lambda path: path.stem)
def test_an_example_says_for_whom_it_is(path: Path) -> None:
    """And what it needs, and how it is installed."""
    text = (path / "Chart.yaml" if path.is_dir() else path).read_text()
    head = re.match(r"(#.*\n)+", text)
    assert head and re.search("(?m)^# For: ", head[0]) and re.search("(?m)^# Needs: ", head[0])
    (install,) = re.findall("(?m)^# Install: (helm install .*)$", head[0])
    assert str(path.relative_to(REPO)) in install.split()


@pytest.mark.parametrize("key", ["host", "port", "database", "username"])
def test_the_rest_stays_with_the_values(chart: Chart, key: str) -> None:
    given = {"host": "db.example.com", "port": 6432, "database": "runs", "username": "ml"}
    variables = {"host": "PGHOST", "port": "PGPORT", "database": "PGDATABASE", "username": "PGUSER"}
    if key == "host":
        del given["host"]
    secret = {f"{key}FromSecret": {"enabled": True, "name": "db", "key": "k"}}
    values = {"backendStore": {"postgres": {"enabled": True, **given, **secret}}}
    env = {entry["name"]: entry for entry in chart.render(values).container()["env"]}
    assert env[variables[key]]["valueFrom"] == {"secretKeyRef": {"name": "db", "key": "k"}}
    for other in set(given) - {key}:
        assert env[variables[other]]["value"] == str(given[other])
    if key != "username":
        assert "(Secret db)" in chart.notes(values)


def test_pods_with_a_token_reach_who_knows_them(chart: Chart) -> None:
    """AWS' token service or the agent of EKS on the node; Entra ID."""
    for name, agents in (("rds-iam", ["169.254.170.23/32"]), ("azure-entra", [])):
        policy = chart.render(with_everything(values_of(name))).one("NetworkPolicy")
        egress = policy["spec"]["egress"]
        assert [
            each["to"][0]["ipBlock"]["cidr"]
            for each in egress
            if each.get("ports", [{}])[0].get("port") == 80
        ] == agents
    values = with_everything(values_of("azure-entra"))
    values["artifactStore"] = {"s3": {"enabled": True, "bucket": "models", "endpoint": "http://s3:9000"}}
    egress = chart.render(values).one("NetworkPolicy")["spec"]["egress"]
    assert any(
        "0.0.0.0/0" in str(each["to"]) and each["ports"] == [{"protocol": "TCP", "port": 443}]
        for each in egress
    )
