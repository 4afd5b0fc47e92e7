"""The database of the runs: a URI in the values, a Secret with one, or separate keys."""

from typing import Any
from urllib.parse import unquote, urlsplit

from mlflowops.migrate_values.old_values import Source
from mlflowops.migrate_values.result import Result
from mlflowops.migrate_values.tables import sentence

PASSWORD = "<password>"  # noqa: S105 (a placeholder)


def from_uri(source: Source, result: Result) -> None:
    """MLflow's own chart: `mlflow.backendStoreUri`, or a Secret with a URI, which counts before it."""
    uri = str(source.take("mlflow.backendStoreUri", ""))
    reference: dict[str, Any] = source.take("mlflow.backendStoreUriFrom") or {}
    if reference:
        _referenced(reference, result)
    elif uri.startswith("postgres"):
        _postgres(uri, result)
    elif uri.startswith("mysql"):
        _mysql(result, "mlflow-mysql", "uri")
        result.secret("mlflow-mysql", "uri", "mysql+pymysql://<user>:<password>@<host>/<database>")
    elif uri and not uri.startswith("sqlite"):
        result.left["mlflow.backendStoreUri"] = sentence("mlflow.backendStoreUri")


def _referenced(reference: dict[str, Any], result: Result) -> None:
    """The URI of a Secret is taken for PostgreSQL's; the migration refuses another one."""
    secret = reference.get("secretKeyRef")
    if secret:
        place = {"enabled": True, "name": secret.get("name"), "key": secret.get("key")}
        result.set("backendStore.postgres", {"enabled": True, "uriFromSecret": place})
    else:
        result.left["mlflow.backendStoreUriFrom"] = (
            "put the URI of the ConfigMap into a Secret and set backendStore.postgres.uriFromSecret"
        )


def inline_passwords(source: Source, result: Result) -> None:
    """The other charts: a password among the values becomes a Secret to make."""
    for path in ("backendStore.postgres.password", "externalDatabase.password"):
        if source.take(path):
            result.secret("mlflow-postgres-secret", "password", PASSWORD)


def in_the_release(source: Source, result: Result) -> None:
    """Bitnami's chart brings a database and an object store unless told otherwise."""
    for part, others in (
        ("postgresql", ("externalDatabase.host",)),
        ("minio", ("externalS3.host", "externalAzureBlob.storageAccount", "externalGCS.bucket")),
    ):
        if source.take(f"{part}.enabled") is not False and not any(map(source.has, others)):
            result.left[part] = sentence(part)


def community_mysql(source: Source, result: Result) -> None:
    """The community's chart: MySQL becomes a Secret with a whole URI."""
    old = source.take("backendStore.mysql")
    if not (old and old.get("enabled")):
        return
    source.take("backendStore.existingDatabaseSecret")
    address = f"{old.get('host')}:{old.get('port', 3306)}/{old.get('database')}"
    _mysql(result, "mlflow-mysql", "uri")
    result.secret("mlflow-mysql", "uri", f"mysql+pymysql://<user>:<password>@{address}")


def community_login(source: Source, result: Result) -> None:
    """The community's chart: the role may be in the Secret of the password."""
    path = "backendStore.existingDatabaseSecret"
    key = source.take(f"{path}.usernameKey")
    if key:
        name = source.take(f"{path}.name", "")
        result.set(
            "backendStore.postgres.usernameFromSecret", {"enabled": bool(name), "name": name, "key": key}
        )
        if name:
            result.set("backendStore.postgres.passwordFromSecret.name", name)


def _postgres(uri: str, result: Result) -> None:
    parts = urlsplit(uri)
    given = {"host": parts.hostname, "port": parts.port, "database": parts.path.strip("/")}
    for key, value in {**given, "username": unquote(parts.username or "")}.items():
        if value:
            result.set(f"backendStore.postgres.{key}", value)
    if parts.password:
        result.secret("mlflow-postgres-secret", "password", PASSWORD)
    if parts.query:
        result.left["mlflow.backendStoreUri"] = (
            "set backendStore.postgres.sslMode for what stands behind its `?`"
        )


def _mysql(result: Result, name: str, key: str) -> None:
    result.set("backendStore.uriFromSecret", {"enabled": True, "name": name, "key": key})
