"""The artifacts: addresses, and whether clients reach them through the server."""

from urllib.parse import urlsplit

from mlflowops.migrate_values.old_values import Source
from mlflowops.migrate_values.result import Result
from mlflowops.migrate_values.tables import sentence

INLINE_S3 = {
    "artifactRoot.s3.awsAccessKeyId": "AWS_ACCESS_KEY_ID",
    "artifactRoot.s3.awsSecretAccessKey": "AWS_SECRET_ACCESS_KEY",
    "externalS3.accessKeyID": "AWS_ACCESS_KEY_ID",
    "externalS3.accessKeySecret": "AWS_SECRET_ACCESS_KEY",
}


def from_uris(source: Source, result: Result) -> None:
    """MLflow's own chart: `artifactsDestination` is proxied, `defaultArtifactRoot` alone is not."""
    proxied = str(source.take("mlflow.artifactsDestination", ""))
    direct = str(source.take("mlflow.defaultArtifactRoot", ""))
    used = proxied if urlsplit(proxied).netloc else direct
    if urlsplit(used).netloc:
        _store(used, result)
    if urlsplit(used).netloc and used == direct and used != proxied:
        result.set("artifactStore.mode", "direct")


def _store(uri: str, result: Result) -> None:
    parts = urlsplit(uri)
    if parts.scheme in ("s3", "gs"):
        store = "artifactStore.s3" if parts.scheme == "s3" else "artifactStore.gcs"
        result.set(f"{store}.bucket", parts.netloc)
    elif parts.scheme in ("wasbs", "abfss"):
        store = "artifactStore.azure"
        container, _, host = parts.netloc.partition("@")
        result.set(f"{store}.container", container)
        result.set(f"{store}.storageAccount", host.split(".")[0])
        result.set(f"{store}.scheme", parts.scheme)
    else:
        result.left["mlflow.artifactsDestination"] = sentence("mlflow.artifactsDestination")
        return
    if parts.path.strip("/"):
        result.set(f"{store}.path", parts.path.strip("/"))


def community(source: Source, result: Result) -> None:
    """The community's chart: without `proxiedArtifactStorage` clients reach an object store themselves."""
    proxied = source.take("artifactRoot.proxiedArtifactStorage", False)
    if (
        any(source.has(f"artifactRoot.{store}.enabled") for store in ("s3", "azureBlob", "gcs"))
        and not proxied
    ):
        result.set("artifactStore.mode", "direct")
    if source.take("artifactRoot.azureBlob.accessKey"):
        _azure_key(result)
    _inline(source, result)


def bitnami(source: Source, result: Result) -> None:
    """Bitnami's chart: the address of an S3 in three parts; AWS itself is a region."""
    host = str(source.take("externalS3.host", ""))
    protocol, port = source.take("externalS3.protocol", "https"), int(source.take("externalS3.port", 443))
    parts = host.split(".")
    if host.endswith(".amazonaws.com"):
        if parts[0] == "s3" and len(parts) == 4:
            result.set("artifactStore.s3.region", parts[1])
    elif host:
        usual = {"https": 443, "http": 80}[protocol] == port
        result.set("artifactStore.s3.endpoint", f"{protocol}://{host}" + ("" if usual else f":{port}"))
    stores = ("externalS3", "externalAzureBlob", "externalGCS")
    if any(source.take(f"{store}.serveArtifacts") is False for store in stores):
        result.set("artifactStore.mode", "direct")
    if source.take("externalAzureBlob.accessKey"):
        _azure_key(result)
    _inline(source, result)


def enable(result: Result) -> None:
    """Turn on each store that has an address, and each Secret that has a name."""
    for key, path in (("s3", "bucket"), ("azure", "container"), ("gcs", "bucket")):
        store = f"artifactStore.{key}"
        if result.get(f"{store}.{path}"):
            result.setdefault(f"{store}.enabled", True)
        if result.get(f"{store}.credentialsFromSecret.name"):
            result.setdefault(f"{store}.credentialsFromSecret.enabled", True)
    if result.get("backendStore.postgres.host"):
        result.setdefault("backendStore.postgres.enabled", True)


def _inline(source: Source, result: Result) -> None:
    for path, key in INLINE_S3.items():
        if source.take(path):
            result.set("artifactStore.s3.credentialsFromSecret.enabled", True)
            result.secret("mlflow-s3-secret", key, f"<{key}>")


def _azure_key(result: Result) -> None:
    result.set("artifactStore.azure.credentialsFromSecret.enabled", True)
    result.secret("mlflow-azure-secret", "AZURE_STORAGE_ACCESS_KEY", "<account key>")
