"""Login and keys: which container gets them, and that nothing is a password in the rendered text."""

from mlflow.server.auth.permissions import ALL_PERMISSIONS

from render.chart import MLFLOW, Chart, Json, Manifest

CASE = MLFLOW.folder / "ci/basic-auth-values.yaml"
# Variable, Secret and key, as the case names them.
ADMIN = {
    "MLFLOW_AUTH_ADMIN_USERNAME": ("mlflow-login", "admin"),
    "MLFLOW_AUTH_ADMIN_PASSWORD": ("mlflow-login", "admin-password"),
}
KEYS = {
    "MLFLOW_CRYPTO_KEK_PASSPHRASE": ("mlflow-login", "kek"),
    "MLFLOW_FLASK_SERVER_SECRET_KEY": ("mlflow-login", "flask"),
    "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": ("mlflow-login", "fernet"),
}


def secrets(container: Json) -> dict[str, tuple[str, str]]:
    """Variables that come from Secrets."""
    sources = {entry["name"]: entry.get("valueFrom", {}) for entry in container.get("env", [])}
    return {
        name: (source["secretKeyRef"]["name"], source["secretKeyRef"]["key"])
        for name, source in sources.items()
        if "secretKeyRef" in source
    }


def test_the_server_gets_the_account_and_the_keys(chart: Chart) -> None:
    manifest = chart.render(CASE)
    assert secrets(manifest.container()).items() >= (ADMIN | KEYS).items()
    assert manifest.env()["MLFLOW_KUBERNETES_APP_NAME"] == "basic-auth"
    assert manifest.env()["MLFLOW_KUBERNETES_AUTH_PERMISSION"] == "USE"
    assert manifest.env("schema")["MLFLOW_KUBERNETES_APP_NAME"] == "basic-auth"


def test_sources_beside_mlflows_own_are_told_to_the_server(chart: Chart) -> None:
    sources = chart.render(CASE).env()["MLFLOW_KUBERNETES_ALLOWED_SOURCES"]
    assert sources == "s3://shared-models/approved,s3://partner/models/"
    assert "MLFLOW_KUBERNETES_ALLOWED_SOURCES" not in chart.render().env()


def test_no_other_container_does(chart: Chart) -> None:
    manifest = chart.render(CASE)
    exporter = manifest.component("Deployment", "exporter")["spec"]["template"]["spec"]["containers"][0]
    for container in (manifest.container("schema"), manifest.container("metrics"), exporter):
        assert not secrets(container).keys() & (ADMIN | KEYS).keys()


def test_helm_test_logs_in(chart: Chart) -> None:
    pod = chart.render(CASE).one("Pod", "mlflow-test")
    assert secrets(pod["spec"]["containers"][0]) == {
        "MLFLOW_TRACKING_USERNAME": ("mlflow-login", "admin"),
        "MLFLOW_TRACKING_PASSWORD": ("mlflow-login", "admin-password"),
    }


def test_without_auth_nobody_logs_in(chart: Chart) -> None:
    manifest: Manifest = chart.render()
    assert not secrets(manifest.container())
    assert not secrets(manifest.one("Pod", "mlflow-test")["spec"]["containers"][0])
    assert "MLFLOW_KUBERNETES_APP_NAME" not in manifest.env()


def test_every_permission_of_mlflow_may_be_the_default(chart: Chart) -> None:
    schema = chart.schema()["properties"]["auth"]["properties"]["basic"]["properties"]
    assert set(schema["defaultPermission"]["enum"]) == set(ALL_PERMISSIONS)
