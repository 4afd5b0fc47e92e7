"""What the values do to the server's pod, in both directions."""

import pytest

from render.chart import MLFLOW, MLFLOW_VERSION, PYTHON, Chart, Json, Manifest, postgres, s3

# The image of the default values.
IMAGE = f"ghcr.io/mlflow/mlflow:v{MLFLOW_VERSION}-full"
SHARED = {**postgres(), **s3()}
BACKUP = {"enabled": True, "bucket": "backups", "image": {"repository": "postgres", "tag": "16"}}
WIDE_VOLUME = {"accessModes": ["ReadWriteMany"]}


@pytest.mark.parametrize(
    ("values", "strategy"),
    [
        ({}, "Recreate"),
        (s3(), "Recreate"),
        (postgres(), "Recreate"),
        ({"persistence": WIDE_VOLUME}, "Recreate"),
        ({**postgres(), "persistence": WIDE_VOLUME}, "RollingUpdate"),
        (SHARED, "RollingUpdate"),
    ],
    ids=["embedded", "sqlite-s3", "postgres-rwo", "sqlite-rwx", "postgres-rwx", "shared"],
)
def test_strategy_follows_the_stores(chart: Chart, values: Json, strategy: str) -> None:
    """Two pods at a time only where they see the same data."""
    found = chart.render(values).one("Deployment")["spec"]["strategy"]
    assert found["type"] == strategy
    if strategy == "RollingUpdate":
        assert found["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


@pytest.mark.parametrize(
    ("values", "claim"),
    [
        ({}, "mlflow"),
        (s3(), "mlflow"),
        (postgres(), "mlflow"),
        ({"persistence": {"existingClaim": "mine"}}, "mine"),
        (SHARED, None),
    ],
    ids=["embedded", "sqlite-s3", "postgres-local", "existing", "shared"],
)
def test_volume_follows_the_stores(chart: Chart, values: Json, claim: str | None) -> None:
    manifest = chart.render(values)
    claims = [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in manifest.server()["volumes"]
        if "persistentVolumeClaim" in volume
    ]
    assert claims == ([claim] if claim else [])
    assert ("PersistentVolumeClaim/mlflow" in manifest.names()) is (claim == "mlflow")
    for container in ("schema", "mlflow"):
        mounts = [mount["mountPath"] for mount in manifest.container(container)["volumeMounts"]]
        assert ("/mlflow" in mounts) is bool(claim)


def test_data_survives_uninstall(chart: Chart) -> None:
    claim = chart.render().one("PersistentVolumeClaim")
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_programs_know_whose_database_it_is(chart: Chart) -> None:
    """Those that claim it and those that remove rows: by namespace, name and place of the artifacts."""
    values = {**postgres(cleanupRunsEnabled=True), **s3(), "backup": BACKUP}
    manifest = chart.render(values, release="other", namespace="team")
    found = {
        container["name"]: {each["name"]: each.get("value") for each in container["env"]}
        for _, pod in manifest.pods()
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
        if container["name"] in ("schema", "retention", "restore")
    }
    assert len(found) == 3
    for env in found.values():
        assert env["MLFLOW_KUBERNETES_RELEASE"] == "team/other-mlflow"
        assert env["MLFLOW_ARTIFACTS_DESTINATION"] == "s3://models"


def test_environment_of_postgres(chart: Chart) -> None:
    """A URI without a place; the rest is in libpq's variables, so that no password is ever encoded."""
    env = chart.render({**postgres(host="db", port=6432, poolSize=20, maxOverflow=40), **s3()}).env()
    assert {
        name: env[name] for name in env if name.startswith("PG") or "SQLALCHEMY" in name or "BACKEND" in name
    } == {
        # The first probe of an idle connection, the next ones, and the end of what has no answer.
        "MLFLOW_BACKEND_STORE_URI": (
            "postgresql+psycopg2://?keepalives_idle=10&keepalives_interval=5&tcp_user_timeout=15000"
        ),
        "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW": "40",
        "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE": "3600",
        "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "20",
        "PGAPPNAME": "mlflow",
        "PGCONNECT_TIMEOUT": "10",
        "PGDATABASE": "mlflow",
        "PGHOST": "db",
        "PGPASSWORD": None,
        "PGPORT": "6432",
        "PGSSLMODE": "prefer",
        "PGUSER": "mlflow",
    }


def test_environment_of_a_database_by_its_uri(chart: Chart) -> None:
    """The whole URI is in the Secret; the pool is larger than the threads, and nothing needs a volume."""
    manifest = chart.render(MLFLOW.folder / "ci/mysql-values.yaml")
    secret = {"name": "mlflow-mysql", "key": "backend-store-uri"}
    for container in ("schema", "mlflow"):
        entries = {entry["name"]: entry for entry in manifest.container(container)["env"]}
        assert entries["MLFLOW_BACKEND_STORE_URI"]["valueFrom"] == {"secretKeyRef": secret}
        pool, more = (entries[f"MLFLOW_SQLALCHEMYSTORE_{name}"] for name in ("POOL_SIZE", "MAX_OVERFLOW"))
        assert (pool["value"], more["value"]) == ("5", entries["MLFLOW_KUBERNETES_THREADS"]["value"])
        assert not [name for name in entries if name.startswith("PG")]
    deployment = manifest.one("Deployment", "mlflow")["spec"]
    assert (deployment["replicas"], deployment["strategy"]["type"]) == (2, "RollingUpdate")
    assert "PersistentVolumeClaim" not in [name.partition("/")[0] for name in manifest.names()]


def test_large_numbers_stay_numbers(chart: Chart) -> None:
    """Helm reads numbers as floats, which print as 1e+06 from there on."""
    env = chart.render(postgres(poolRecycle=2_000_000)).env()
    assert env["MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE"] == "2000000"


def test_environment_of_the_embedded_default(chart: Chart) -> None:
    env = chart.render().env()
    assert env["MLFLOW_BACKEND_STORE_URI"] == "sqlite:////mlflow/mlflow.db"
    assert env["MLFLOW_ARTIFACTS_DESTINATION"] == "/mlflow/artifacts"
    assert not [name for name in env if name.startswith(("PG", "AWS"))]


@pytest.mark.parametrize(("launcher", "pool"), [("direct", "7"), ("upstream", "41")])
def test_sqlite_pool_exceeds_the_threads(chart: Chart, launcher: str, pool: str) -> None:
    env = chart.render({"mlflow": {"launcher": launcher, "threads": 6}}).env()
    assert env["MLFLOW_SQLALCHEMYSTORE_POOL_SIZE"] == pool


@pytest.mark.parametrize(("path", "destination"), [("", "s3://models"), ("a/b", "s3://models/a/b")])
def test_artifacts_destination(chart: Chart, path: str, destination: str) -> None:
    assert chart.render(s3(path=path)).env()["MLFLOW_ARTIFACTS_DESTINATION"] == destination


def test_the_limit_of_a_body_is_told_to_the_server(chart: Chart) -> None:
    assert chart.render().env()["MLFLOW_KUBERNETES_MAX_BODY_MIB"] == "32"
    assert (
        chart.render({"mlflow": {"maxRequestBodyMiB": 1024}}).env()["MLFLOW_KUBERNETES_MAX_BODY_MIB"]
        == "1024"
    )


def test_region_and_endpoint_of_s3(chart: Chart) -> None:
    names = {"AWS_REGION", "AWS_DEFAULT_REGION", "MLFLOW_S3_ENDPOINT_URL"}
    assert not names & set(chart.render(s3()).env())
    env = chart.render(s3(region="eu-west-1", endpoint="http://s3:8333")).env()
    assert [env[name] for name in sorted(names)] == ["eu-west-1", "eu-west-1", "http://s3:8333"]


def test_nothing_calls_home(rendered: Manifest) -> None:
    hardened = {
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_MODEL_CATALOG_URI": "",
        "HOME": "/tmp",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    assert hardened.items() <= rendered.env().items()


def test_own_variables_win(chart: Chart) -> None:
    """Also an empty one, which Helm's `merge` would lose."""
    env = chart.render(
        {"mlflow": {"env": {"MLFLOW_ENABLE_AI_GATEWAY": "true", "DO_NOT_TRACK": "", "A": "b"}}}
    ).env()
    assert (env["MLFLOW_ENABLE_AI_GATEWAY"], env["DO_NOT_TRACK"], env["A"]) == ("true", "", "b")


def test_schema_step_has_the_server_environment(rendered: Manifest) -> None:
    schema, server = rendered.container("schema"), rendered.container("mlflow")
    for key in ("image", "envFrom", "resources", "securityContext"):
        assert schema.get(key) == server.get(key), key
    # What a backup before the migration adds (test_tasks.py).
    backs_up = "postgres" in [each["name"] for each in rendered.server()["initContainers"]]
    exchange = [{"name": "exchange", "mountPath": "/exchange"}] if backs_up else []
    # Login and keys are the server's alone (test_auth.py); the store is the backups' (test_backup_store.py).
    shared = [mount for mount in server["volumeMounts"] if mount["name"] not in ("oidc-ca", "api-server")]
    assert schema["volumeMounts"] == [*shared, *exchange]
    own = [entry for entry in schema["env"] if backs_up and entry["name"].startswith(("AWS_", "MLFLOW_S3_"))]
    rest = [entry for entry in schema["env"] if entry not in own]
    assert [entry for entry in server["env"] if entry in rest] == rest
    assert schema["command"][:5] == [*PYTHON, "schema"]
    assert bool(schema["command"][5:]) is backs_up
    assert server["command"] == [*PYTHON, "server"]


@pytest.mark.parametrize("prefix", ["", "/mlflow", "/tools/mlflow"])
def test_probes_follow_the_static_prefix(chart: Chart, prefix: str) -> None:
    container = chart.render({"mlflow": {"staticPrefix": prefix}}).container()
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": f"{prefix}/health", "port": "http"}


def test_patience(chart: Chart) -> None:
    """MLflow waits 104 s for a database; a burst that fills all threads takes half a minute."""
    container = chart.render().container()
    startup, liveness = container["startupProbe"], container["livenessProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] > 104
    assert liveness["periodSeconds"] * liveness["failureThreshold"] >= 60


def test_leaving(chart: Chart) -> None:
    """The mark, the wait, and the rest of the grace for requests in flight."""
    manifest = chart.render({"preStopSeconds": 7, "terminationGracePeriodSeconds": 60})
    assert manifest.container()["lifecycle"]["preStop"]["exec"]["command"] == [
        "/bin/sh", "-c", "touch /tmp/leaving; sleep 7",
    ]  # fmt: skip
    assert manifest.server()["terminationGracePeriodSeconds"] == 60
    assert 0 < int(manifest.env()["MLFLOW_KUBERNETES_GRACEFUL_TIMEOUT"] or 0) < 60 - 7


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({}, IMAGE),
        ({"registry": "localhost", "repository": "mlflow", "tag": "1.2.3"}, "localhost/mlflow:1.2.3"),
        ({"registry": ""}, IMAGE.removeprefix("ghcr.io/")),
        ({"digest": "sha256:" + "a" * 64}, f"{IMAGE}@sha256:" + "a" * 64),
    ],
    ids=["default", "ours", "no-registry", "digest"],
)
def test_image(chart: Chart, image: Json, expected: str) -> None:
    """One image for the server, the migration and the test."""
    manifest = chart.render({"image": image})
    images = {manifest.container(name)["image"] for name in ("schema", "mlflow")}
    images.add(manifest.one("Pod", "mlflow-test")["spec"]["containers"][0]["image"])
    assert images == {expected}


@pytest.mark.parametrize(
    ("values", "account"),
    [
        ({}, "mlflow"),
        ({"serviceAccount": {"name": "own"}}, "own"),
        ({"serviceAccount": {"create": False}}, "default"),
        ({"serviceAccount": {"create": False, "name": "theirs"}}, "theirs"),
    ],
    ids=["made", "named", "default", "theirs"],
)
def test_service_account(chart: Chart, values: Json, account: str) -> None:
    manifest = chart.render(values)
    assert {pod["spec"]["serviceAccountName"] for _, pod in manifest.pods()} == {account}
    made = [item["metadata"]["name"] for item in manifest.objects if item["kind"] == "ServiceAccount"]
    assert made == ([account] if values.get("serviceAccount", {}).get("create", True) else [])


def test_root_certificate(chart: Chart) -> None:
    """The CA is mounted where libpq is told to look, in both containers."""
    secret = {"enabled": True, "name": "rds-ca", "key": "bundle.pem"}
    manifest = chart.render(postgres(sslMode="verify-full", sslRootCertFromSecret=secret))
    (volume,) = [each for each in manifest.server()["volumes"] if each["name"] == "postgres-ca"]
    assert volume["secret"] == {"secretName": "rds-ca", "items": [{"key": "bundle.pem", "path": "ca.crt"}]}
    for container in ("schema", "mlflow"):
        (mount,) = [
            each for each in manifest.container(container)["volumeMounts"] if each["name"] == "postgres-ca"
        ]
        assert f"{mount['mountPath']}/ca.crt" == manifest.env(container)["PGSSLROOTCERT"]


@pytest.mark.parametrize("mode", ["prefer", "require", "verify-ca", "verify-full"])
def test_a_root_certificate_leaves_the_mode_alone(chart: Chart, mode: str) -> None:
    """A name that does not match the certificate, such as a tunnel's, is for `verify-ca`."""
    ca = {"enabled": True, "name": "rds-ca"}
    assert chart.render(postgres(sslMode=mode, sslRootCertFromSecret=ca)).env()["PGSSLMODE"] == mode


def test_spread_gets_the_servers_selector(chart: Chart) -> None:
    bare = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    own = {**bare, "labelSelector": {"matchLabels": {"app": "mlflow"}}}
    manifest = chart.render({"topologySpreadConstraints": [bare, own]})
    selector = manifest.one("Deployment")["spec"]["selector"]
    assert manifest.server()["topologySpreadConstraints"] == [{**bare, "labelSelector": selector}, own]


def test_users_of_openshift_are_left_out(chart: Chart) -> None:
    manifest = chart.render(MLFLOW.folder / "ci/openshift-values.yaml")
    assert manifest.server()["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


@pytest.mark.parametrize("launcher", ["direct", "upstream"])
def test_the_log_may_be_json(chart: Chart, launcher: str) -> None:
    """With either launcher; tests/runtime/test_json_logs.py reads the lines."""
    env = chart.render({"mlflow": {"launcher": launcher, "log": {"format": "json"}}}).env()
    assert (env["MLFLOW_KUBERNETES_LAUNCHER"], env["MLFLOW_KUBERNETES_LOG_FORMAT"]) == (launcher, "json")


def test_the_audit_log(chart: Chart) -> None:
    """Off it has no variables; tests/runtime/test_audit.py reads the lines."""
    names = ("MLFLOW_KUBERNETES_AUDIT", "MLFLOW_KUBERNETES_AUDIT_FILE", "MLFLOW_KUBERNETES_AUDIT_PROXIES")
    assert not set(names) & chart.render().env().keys()
    mounted = {
        "extraVolumes": [{"name": "audit", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "audit", "mountPath": "/audit/"}],
    }
    audit = {"enabled": True, "file": "/audit/log", "trustedProxies": ["10.0.0.0/8", "fd00::/8"]}
    env = chart.render({**mounted, "mlflow": {"audit": audit}}).env()
    assert [env[each] for each in names] == ["true", "/audit/log", "10.0.0.0/8,fd00::/8"]
