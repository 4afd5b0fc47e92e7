"""`mlflowops migrate-values`: values of another chart become values of this one that mean the same."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflowops.migrate_values import translate
from mlflowops.migrate_values.tables import explained, sentence
from mlflowops.paths import REPO
from render.chart import MLFLOW, Manifest
from render.test_peers import PEERS, nested

from cli.cli import Cli

VALUES: dict[str, Any] = {
    "string": "x",
    "boolean": True,
    "integer": 1,
    "list": [{"name": "x", "value": "y"}],
    "map": {"a": "b"},
}
# Keys that say something only beside another one; each is part of a file below.
TOGETHER = {
    "artifactRoot.proxiedArtifactStorage",
    "auth.adminPassword",
    "auth.adminUsername",
    "externalAzureBlob.serveArtifacts",
    "externalGCS.serveArtifacts",
    "externalS3.port",
    "externalS3.protocol",
    "externalS3.serveArtifacts",
    "mlflow.serveArtifacts",
    "mlflow.artifactsDestination",
    "mlflow.defaultArtifactRoot",
    "storage.enabled",
}
TOGETHER_BELOW = (
    "backendStore.mysql.",
    "tracking.auth.",
    "tracking.ingress.",
    "tracking.networkPolicy.allowExternal",
)
PAGE = (REPO / "docs/migrating.md").read_text()
PAGES = sorted((REPO / "docs").glob("migrating*.md"))
EXAMPLES = [
    example
    for page in PAGES
    for example in re.findall(r"```yaml\n# (\w+)\n(.*?)```\n\n```yaml\n(.*?)```", page.read_text(), re.DOTALL)
]
FILES = Path(__file__).parent / "migrate_values"


def migrated(cli: Cli, name: str) -> tuple[Manifest, str, str]:
    """The rendering of what the command makes of a file, its output, and its stderr."""
    answer = cli("migrate-values", "--from", name.partition("-")[0], FILES / f"{name}.yaml")
    assert answer.code == 0, answer.err
    return MLFLOW.render(yaml.safe_load(answer.out) or {}), answer.out, answer.err


def secret_of(server: dict[str, Any], variable: str) -> tuple[str, str]:
    """Secret and key that a variable of a container comes from."""
    (entry,) = [each for each in server["env"] if each["name"] == variable]
    reference = entry["valueFrom"]["secretKeyRef"]
    return reference["name"], reference["key"]


@pytest.mark.parametrize("name", sorted(file.stem for file in FILES.glob("*.yaml")))
def test_output_renders_and_holds_no_password(cli: Cli, name: str) -> None:
    _, out, err = migrated(cli, name)
    assert "hunter2" in (FILES / f"{name}.yaml").read_text() or "inline" not in name
    assert "hunter2" not in out + err
    for line in filter(re.compile("# (?!Create)").match, out.splitlines()):
        assert re.fullmatch(r"# \S+: is not translated; .*\.", line)
        assert line.removeprefix("# ") in err


def test_official_postgres_s3(cli: Cli) -> None:
    manifest, out, _ = migrated(cli, "official-inline-postgres-s3")
    env = manifest.env()
    assert (env["PGHOST"], env["PGUSER"], env["PGDATABASE"]) == ("postgres", "ml user", "mlflow")
    assert env["MLFLOW_ARTIFACTS_DESTINATION"] == "s3://my-bucket/mlflow"
    assert env["MLFLOW_S3_ENDPOINT_URL"] == "https://minio.example.com"
    assert env["HTTP_TIMEOUT"] == "30"
    server = manifest.container()
    assert secret_of(server, "AWS_ACCESS_KEY_ID") == ("s3-credentials", "access-key-id")
    assert secret_of(server, "PGPASSWORD") == ("mlflow-postgres-secret", "password")
    command = "kubectl create secret generic mlflow-postgres-secret -n <namespace>"
    assert f'# Create the Secret: {command} --from-literal=password="<password>"' in out


def test_official_sqlite(cli: Cli) -> None:
    manifest, out, _ = migrated(cli, "official-sqlite")
    claim = manifest.one("PersistentVolumeClaim")["spec"]
    assert claim["storageClassName"] == "gp2" and claim["resources"]["requests"]["storage"] == "20Gi"
    assert manifest.container()["resources"]["limits"] == {"cpu": "2000m", "memory": "2Gi"}
    assert manifest.container()["image"] == "ghcr.io/mlflow/mlflow:v3.11.1-full"
    assert f"# garbageCollection.enabled: is not translated; {sentence('garbageCollection.enabled')}." in out


def test_official_ingress(cli: Cli) -> None:
    manifest, out, _ = migrated(cli, "official-ingress-login")
    (rule,) = manifest.one("Ingress")["spec"]["rules"]
    assert rule["host"] == "mlflow.example.com"
    assert manifest.env()["MLFLOW_KUBERNETES_APP_NAME"] == "basic-auth"
    assert "ml.example.com" in str(manifest.env()["MLFLOW_SERVER_ALLOWED_HOSTS"]).split(",")
    assert re.findall(r"(?m)^# (server\S+):", out) == ["server.flag_options.dev", "server.value_options.port"]
    assert secret_of(manifest.container(), "MLFLOW_KUBERNETES_POSTGRES_URI") == ("mlflow-db-secret", "uri")


@pytest.mark.parametrize(
    ("old", "database", "said"),
    [
        ({"configMapKeyRef": {"name": "db", "key": "uri"}}, None, "put the URI of the ConfigMap into"),
        ({"secretKeyRef": {"name": "db", "key": "dsn"}}, {"enabled": True, "name": "db", "key": "dsn"}, ""),
    ],
)
def test_the_reference_counts_before_the_uri(old: Any, database: Any, said: str) -> None:
    """As in MLflow's own chart; a ConfigMap with a URI has no key here."""
    values = {"mlflow": {"backendStoreUri": "postgresql://ml@inline/db", "backendStoreUriFrom": old}}
    result = translate.translate(translate.Peer.official, values)
    assert result.get("backendStore.postgres.uriFromSecret") == database
    assert result.get("backendStore.postgres.host") is None
    assert said in result.left.get("mlflow.backendStoreUriFrom", "")


def test_community_postgres_s3(cli: Cli) -> None:
    manifest, out, _ = migrated(cli, "community-inline-postgres-s3")
    env = manifest.env()
    assert (env["PGHOST"], env["PGUSER"], env["PGDATABASE"]) == ("pg.example.com", "mlflowuser", "mlflow")
    assert env["MLFLOW_DEFAULT_ARTIFACT_ROOT"] == "s3://my-mlflow/runs"
    assert secret_of(manifest.container(), "PGPASSWORD") == ("mlflow-postgres-secret", "password")
    assert 'AWS_ACCESS_KEY_ID="<AWS_ACCESS_KEY_ID>"' in out
    role = manifest.one("ServiceAccount")["metadata"]["annotations"]
    assert role["eks.amazonaws.com/role-arn"].endswith("iam-role-name")


def test_community_login(cli: Cli) -> None:
    manifest, out, _ = migrated(cli, "community-inline-login")
    assert manifest.env()["MLFLOW_KUBERNETES_APP_NAME"] == "basic-auth"
    assert secret_of(manifest.container("schema"), "PGPASSWORD") == ("postgres-database-secret", "pw")
    assert "generic mlflow-admin-secret" in out and "generic mlflow-keys-secret" in out
    assert secret_of(manifest.container("schema"), "PGUSER") == ("postgres-database-secret", "username")


def test_community_ingress(cli: Cli) -> None:
    manifest, _, _ = migrated(cli, "community-ingress")
    ingress = manifest.one("Ingress")["spec"]
    assert ingress["ingressClassName"] == "nginx" and ingress["tls"][0]["secretName"] == "mlflow-tls"
    assert manifest.one("HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 4
    assert manifest.env()["MLFLOW_ARTIFACTS_DESTINATION"].startswith("wasbs://models@account.")


def test_community_mysql(cli: Cli) -> None:
    manifest, out, _ = migrated(cli, "community-inline-mysql")
    assert secret_of(manifest.container(), "MLFLOW_BACKEND_STORE_URI") == ("mlflow-mysql", "uri")
    assert "mysql+pymysql://<user>:<password>@mysql.example.com:3306/mlflow" in out


def test_bitnami_postgres_s3(cli: Cli) -> None:
    manifest, _, _ = migrated(cli, "bitnami-postgres-s3")
    env, server = manifest.env(), manifest.container()
    assert (env["PGHOST"], env["PGUSER"], env["PGDATABASE"]) == ("pg.example.com", "postgres", "mlflow")
    assert env["MLFLOW_ARTIFACTS_DESTINATION"] == "s3://mlflow"
    assert env["MLFLOW_S3_ENDPOINT_URL"] == "http://minio.example.com:9000"
    assert secret_of(server, "PGPASSWORD") == ("pg", "db-password")
    assert secret_of(server, "AWS_SECRET_ACCESS_KEY") == ("minio", "root-password")
    assert "MLFLOW_KUBERNETES_APP_NAME" not in env


def test_bitnami_login_is_on_by_itself(cli: Cli) -> None:
    manifest, out, _ = migrated(cli, "bitnami-inline-login")
    assert manifest.env()["MLFLOW_KUBERNETES_APP_NAME"] == "basic-auth"
    assert manifest.one("Service")["spec"]["type"] == "LoadBalancer"
    assert "generic mlflow-admin-secret" in out


def test_bitnami_ingress(cli: Cli) -> None:
    manifest, out, _ = migrated(cli, "bitnami-ingress")
    ingress = manifest.one("Ingress")["spec"]
    assert [rule["host"] for rule in ingress["rules"]] == ["mlflow.example.com", "ml.example.com"]
    assert ingress["tls"] == [{"hosts": ["mlflow.example.com"], "secretName": "mlflow.example.com-tls"}]
    assert manifest.one("Service")["spec"]["type"] == "ClusterIP"
    assert "# minio: is not translated; bring your own object store" in out


@pytest.mark.parametrize("peer", PEERS)
def test_every_key_is_translated_or_listed(peer: str) -> None:
    """Each key of the chart, set alone, leaves something to read."""
    nothing = translate.translate(translate.Peer(peer), {})
    for path, kind in PEERS[peer]["keys"].items():
        result = translate.translate(translate.Peer(peer), nested({path: VALUES[kind]}))
        if path not in TOGETHER and not path.startswith(TOGETHER_BELOW):
            assert result != nothing or explained(path)[0] in result.left, path


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("", "holds no values"),
        ("- a", "is not a mapping"),
        ("a: [", "is not YAML"),
        ("extraArgs: {workers: many}", "holds a value of another form"),
    ],
)
def test_a_file_that_is_no_values(cli: Cli, tmp_path: Path, content: str, wrong: str) -> None:
    (tmp_path / "old.yaml").write_text(content)
    answer = cli("migrate-values", "--from", "community", tmp_path / "old.yaml")
    assert answer.code == 2 and wrong in answer.err and answer.out == ""


def test_labels_with_dots_stay_whole(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text("tracking: {podAnnotations: {prometheus.io/scrape: 'true'}}")
    answer = cli("migrate-values", "--from", "bitnami", tmp_path / "old.yaml")
    assert yaml.safe_load(answer.out)["podAnnotations"] == {"prometheus.io/scrape": "true"}


@pytest.mark.parametrize(("peer", "old", "new"), EXAMPLES, ids=[peer for peer, _, _ in EXAMPLES])
def test_examples_of_the_page(cli: Cli, tmp_path: Path, peer: str, old: str, new: str) -> None:
    """The command makes of the first values the second, and they render."""
    (tmp_path / "old.yaml").write_text(old)
    answer = cli("migrate-values", "--from", peer, tmp_path / "old.yaml")
    assert yaml.safe_load(answer.out) == yaml.safe_load(new)
    MLFLOW.render(yaml.safe_load(new))


def test_the_page_has_an_example_of_each_chart_and_its_command(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {peer for peer, _, _ in EXAMPLES} == {peer.value for peer in translate.Peer}
    (command,) = re.findall(r"(?m)^ *mlflowops (migrate-values .*) > values-mlflow.yaml$", PAGE)
    monkeypatch.chdir(tmp_path)
    Path("old.yaml").write_text(next(old for peer, old, _ in EXAMPLES if peer == "community"))
    assert cli(*command.split()).code == 0


PASSWORDS = re.compile(
    "(assword|SecretAccessKey|accessKeySecret|[aA]ccessKeyI[dD]|accessKey|connectionString|clientSecret"
    "|cookieSecret|SecretKey|connectionUrl|redisUrl|[uU]ri)$"
)


@pytest.mark.parametrize("peer", PEERS)
def test_no_password_is_printed(cli: Cli, tmp_path: Path, peer: str) -> None:
    """Of no key that holds one, set together or behind a user name in an address."""
    strings = [path for path, kind in PEERS[peer]["keys"].items() if kind == "string"]
    paths = [path for path in strings if PASSWORDS.search(path) and "existing" not in path]
    assert len(paths) > 1
    for value in ("hunter2", "postgresql://user:hunter2@db/mlflow"):
        (tmp_path / "old.yaml").write_text(yaml.safe_dump(nested(dict.fromkeys(paths, value))))
        answer = cli("migrate-values", "--from", peer, tmp_path / "old.yaml")
        assert answer.code == 0 and "hunter2" not in answer.out + answer.err
