"""Where the server's artifacts are, and an S3 client with the settings that MLflow's own client reads."""

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
