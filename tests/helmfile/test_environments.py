"""Each environment renders what it promises, and the files that make it stay small and apart."""

import itertools
from pathlib import Path

import pytest
import tomllib
from mlflowops.generated_secrets import GENERATED
from mlflowops.paths import REPO
from render import custom, kubernetes_schemas
from render.chart import VERSIONS

from helmfile.helmfile import ENVIRONMENTS, Helmfile, Json, leaves, objects, read

HELMFILE_ONLY = sorted((REPO / "environments").glob("*.yaml"))
CHART_ONLY = sorted(REPO.glob("values*.yaml"))
MLFLOW = {
    ("Deployment", "mlflow"),
    ("Service", "mlflow"),
    ("ServiceAccount", "mlflow"),
    ("ConfigMap", "mlflow-server"),
    ("ConfigMap", "mlflow-fast"),
    ("ConfigMap", "mlflow-library"),
}


def find(items: list[Json], kind: str, name: str) -> Json:
    return next(item for item in items if (item["kind"], item["metadata"]["name"]) == (kind, name))


def names(items: list[Json]) -> set[tuple[str, str]]:
    return {
        (item["kind"], item["metadata"]["name"])
        for item in items
        if "helm.sh/hook" not in item["metadata"].get("annotations", {})
    }


def server_env(items: list[Json]) -> dict[str, Json]:
    boxes = find(items, "Deployment", "mlflow")["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each for each in boxes[0]["env"]}


def releases(items: list[Json]) -> set[str]:
    return {item["metadata"]["labels"]["app.kubernetes.io/instance"] for item in items}


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_an_environment_with_stores_of_its_own_deploys_mlflow_only(rendered, environment: str) -> None:
    assert releases(rendered[environment]) == {"mlflow"}
    assert names(rendered[environment]) >= MLFLOW


def test_local_deploys_its_stores_too(rendered) -> None:
    assert releases(rendered["local"]) == {"mlflow", "postgres", "seaweedfs"}
    assert names(rendered["local"]) >= {*MLFLOW, ("StatefulSet", "postgres"), ("Service", "seaweedfs")}


@pytest.mark.parametrize("kubernetes", VERSIONS)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_object_is_valid(rendered, environment: str, kubernetes: str) -> None:
    assert rendered[environment]
    for item in rendered[environment]:
        if custom.is_custom(item):
            custom.validate(item)
        else:
            kubernetes_schemas.validate(item, kubernetes)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_plain_helm_renders_the_same(helmfile: Helmfile, rendered, environment: str) -> None:
    """Plain `helm template` with the two values files renders the same objects as helmfile."""
    files = ["--values", "values.yaml", "--values", f"values-{environment}.yaml"]
    done = helmfile.helm("template", "mlflow", "charts/mlflow", "--namespace", "ml", *files)
    assert done.returncode == 0, done.stderr
    plain = objects(done.stdout)
    of_mlflow = [item for item in rendered[environment] if item in plain]
    assert len(of_mlflow) == len(plain) >= len(MLFLOW)


def test_mlflow_waits_for_its_stores(helmfile: Helmfile) -> None:
    """Without `needs`, servers crash on a fresh cluster."""
    done = helmfile("--environment", "local", "build")
    releases = {each["name"]: each for item in objects(done.stdout) for each in item.get("releases", [])}
    assert sorted(releases["mlflow"]["needs"]) == ["ml/postgres", "ml/seaweedfs"]


def test_local_makes_every_secret_that_its_pods_read(rendered) -> None:
    read_keys = set()
    for item in rendered["local"]:
        pod = item.get("spec", {}).get("template", {}).get("spec", {})
        boxes = [*pod.get("containers", []), *pod.get("initContainers", [])]
        for variable in itertools.chain.from_iterable(box.get("env", []) for box in boxes):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            if reference:
                read_keys.add((reference["name"], reference["key"]))
    assert read_keys == {(name, key) for name, keys in GENERATED.items() for key in keys}


def test_local_points_at_the_services_that_it_deploys(rendered) -> None:
    env = server_env(rendered["local"])
    assert env["PGHOST"]["value"] == "postgres.ml.svc.cluster.local"
    assert env["MLFLOW_S3_ENDPOINT_URL"]["value"] == "http://seaweedfs.ml.svc.cluster.local:8333"
    ports = {
        name: {port["port"] for port in find(rendered["local"], "Service", name)["spec"]["ports"]}
        for name in ("postgres", "seaweedfs")
    }
    assert int(env["PGPORT"]["value"]) in ports["postgres"]
    assert 8333 in ports["seaweedfs"]


def test_local_runs_the_images_that_this_repository_builds(rendered) -> None:
    built = tomllib.loads((REPO / "testbed/images/images.toml").read_text())["images"]
    wanted = {f"localhost/{name}:{built[name]['tag']}" for name in ("mlflow", "postgres", "seaweedfs")}
    pods = [
        item["spec"]["template"]["spec"] for item in rendered["local"] if "template" in item.get("spec", {})
    ]
    assert {box["image"] for pod in pods for box in pod["containers"]} == wanted


def test_production_reads_every_secret_from_the_vault(rendered) -> None:
    for environment in ("dev", "prod"):
        fetched = {
            item["metadata"]["name"]: item["spec"]
            for item in rendered[environment]
            if item["kind"] == "ExternalSecret"
        }
        assert "mlflow-postgres-secret" in fetched
        for name, spec in fetched.items():
            assert spec["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "vault"}
            keys = {each["remoteRef"]["key"] for each in spec["data"]}
            assert keys == {f"{environment}/{name}"}
    assert "ExternalSecret" not in {item["kind"] for item in rendered["local"]}


def test_prod_promises(rendered) -> None:
    deployment = find(rendered["prod"], "Deployment", "mlflow")["spec"]
    env = server_env(rendered["prod"])
    assert "replicas" not in deployment
    scaler = find(rendered["prod"], "HorizontalPodAutoscaler", "mlflow")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 10)
    assert find(rendered["prod"], "PodDisruptionBudget", "mlflow")["spec"]["maxUnavailable"] == 1
    spread = deployment["template"]["spec"]["topologySpreadConstraints"]
    assert {each["topologyKey"].split("/")[1] for each in spread} == {"zone", "hostname"}
    assert env["PGSSLMODE"]["value"] == "verify-full"
    assert "AWS_SECRET_ACCESS_KEY" not in env, "the role of the pod, no keys"
    assert "mlflow.example.com" in env["MLFLOW_SERVER_ALLOWED_HOSTS"]["value"]
    assert env["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"]["value"] == "https://mlflow.example.com"
    assert find(rendered["prod"], "Ingress", "mlflow")["spec"]["tls"]
    assert find(rendered["prod"], "NetworkPolicy", "mlflow")
    for task in ("retention", "backup", "drill"):
        assert find(rendered["prod"], "CronJob", f"mlflow-{task}")


def test_no_account_of_prod_reads_its_backups(rendered) -> None:
    """Another bucket than that of the artifacts, and keys that no container beside the server has."""
    bucket = server_env(rendered["prod"])["MLFLOW_ARTIFACTS_DESTINATION"]["value"].split("/")[2]
    pods = [
        find(rendered["prod"], "CronJob", f"mlflow-{task}")["spec"]["jobTemplate"]["spec"]["template"]
        for task in ("backup", "drill", "restore")
    ]
    for pod in pods:
        box, _ = pod["spec"]["containers"]
        (place,) = [word for word in box["command"] if "s3://" in word]
        assert place.split("/")[2] not in ("", bucket)
        assert "mlflow-backup-secret" in str(box)
    server = find(rendered["prod"], "Deployment", "mlflow")["spec"]["template"]["spec"]
    assert "mlflow-backup-secret" not in str(server["containers"])
    assert "mlflow-backup-secret" in str(server["initContainers"]), "a backup before a migration"


def test_dev_frees_what_people_deleted_and_deletes_nothing(rendered) -> None:
    pod = find(rendered["dev"], "CronJob", "mlflow-retention")["spec"]["jobTemplate"]["spec"]["template"]
    command = pod["spec"]["containers"][0]["command"]
    assert [word for word in command if "days" in word] == ["--grace-days=7"]


def test_dev_has_an_address(rendered) -> None:
    (rule,) = find(rendered["dev"], "Ingress", "mlflow")["spec"]["rules"]
    assert rule["host"] in server_env(rendered["dev"])["MLFLOW_SERVER_ALLOWED_HOSTS"]["value"].split(",")


def test_the_base_is_production_ready(rendered) -> None:
    """Workers and connection pool have their production sizes in every environment."""
    for environment in ENVIRONMENTS:
        env = server_env(rendered[environment])
        assert env["MLFLOW_WORKERS"]["value"] == "2"
        assert env["MLFLOW_SQLALCHEMYSTORE_POOL_SIZE"]["value"] == "20"
        assert env["MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW"]["value"] == "40"
        assert env["MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE"]["value"] == "3600"
        assert env["MLFLOW_BACKEND_STORE_URI"]["value"].startswith("postgresql+psycopg2://?")
        assert env["MLFLOW_ARTIFACTS_DESTINATION"]["value"].startswith("s3://")


@pytest.mark.parametrize(("file", "most"), [("values-dev.yaml", 15), ("values-prod.yaml", 60)])
def test_overrides_stay_short(file: str, most: int) -> None:
    assert len([line for line in (REPO / file).read_text().splitlines() if line]) <= most


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_override_says_only_what_differs(environment: str) -> None:
    base = leaves(read(REPO / "values.yaml"))
    for path, value in leaves(read(REPO / f"values-{environment}.yaml")).items():
        assert path not in base or base[path] != value, f"{path} repeats values.yaml"


def test_a_key_is_helmfiles_or_the_charts() -> None:
    def keys(files: list[Path]) -> set[str]:
        return {key for file in files for key in read(file)}

    assert keys(HELMFILE_ONLY) and keys(CHART_ONLY)
    assert not keys(HELMFILE_ONLY) & keys(CHART_ONLY)
    assert not keys(HELMFILE_ONLY) & read(REPO / "charts/mlflow/values.yaml").keys()


def test_every_environment_has_its_files() -> None:
    assert {file.stem for file in HELMFILE_ONLY} == {"default", *ENVIRONMENTS}
    assert {file.stem for file in CHART_ONLY} == {"values", *(f"values-{name}" for name in ENVIRONMENTS)}


@pytest.mark.parametrize("command", ["apply", "diff", "template", "destroy"])
def test_an_unnamed_environment_is_refused_in_words(helmfile: Helmfile, command: str) -> None:
    done = helmfile(command)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("helmfile: no environment is named; add -e local, -e dev or -e prod.")


def test_an_unknown_environment_is_refused(helmfile: Helmfile) -> None:
    done = helmfile("--environment", "staging", "template")
    assert done.returncode != 0
    assert "environment(staging)" in done.stderr
