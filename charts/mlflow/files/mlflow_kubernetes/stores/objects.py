"""Where the server's artifacts are, and clients of object stores with the settings that MLflow's own read."""

from collections.abc import Mapping
from typing import Any


def artifacts(env: Mapping[str, str]) -> str:
    """Their address, whoever writes there: the server, or in mode `direct` its clients."""
    return env.get("MLFLOW_ARTIFACTS_DESTINATION") or env.get("MLFLOW_DEFAULT_ARTIFACT_ROOT") or ""


def s3_client(env: Mapping[str, str], **settings: Any) -> Any:
    """A client; `settings` are botocore's."""
    import boto3
    from botocore.config import Config

    style = {"addressing_style": env.get("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE") or "auto"}
    return boto3.client(
        "s3",
        endpoint_url=env.get("MLFLOW_S3_ENDPOINT_URL") or None,
        verify=False if env.get("MLFLOW_S3_IGNORE_TLS", "").lower() in ("true", "1") else None,
        config=Config(s3=style, **settings),
    )


def azure_client(env: Mapping[str, str], host: str, **settings: Any) -> Any:
    """A client of Azure's Blob Storage at that host; `settings` are azure-core's."""
    from azure.storage.blob import BlobServiceClient

    if connection := env.get("AZURE_STORAGE_CONNECTION_STRING"):
        return BlobServiceClient.from_connection_string(connection, **settings)
    key = env.get("AZURE_STORAGE_ACCESS_KEY") or azure_identity()
    return BlobServiceClient(f"https://{host}", credential=key, **settings)


def azure_identity() -> Any:
    """Who the pod is to Azure."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def gcs_client() -> Any:
    """A client of Google Cloud Storage; its library reads the environment itself."""
    from google.cloud.storage import Client

    return Client()
