"""The checks of the database and of the object store."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import schema_database
from metrics_check import Check
from metrics_database import Inventory, State
from prometheus_client import Metric
from prometheus_client.registry import Collector
from schema_revisions import Revisions


def collectors(env: Mapping[str, str]) -> list[Collector]:
    """Checks of the stores of a server that has the same environment."""
    every = float(env.get("MLFLOW_KUBERNETES_METRICS_INTERVAL") or 60)
    database = schema_database.connect(env["MLFLOW_BACKEND_STORE_URI"])
    state, inventory = State(database, Revisions.installed().head), Inventory(database)
    checks: list[Collector] = [
        Check("mlflow_database", "the database", state.look, every),
        Check("mlflow_inventory", "the count of runs and models", inventory.look, every),
    ]
    if env["MLFLOW_ARTIFACTS_DESTINATION"].startswith("s3://"):
        checks.append(Check("mlflow_artifact_store", "the artifact store", Bucket(env).look, every))
    return checks


class Bucket:
    """An S3 bucket, reached with the settings that MLflow's own client reads."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        uri = urlsplit(env["MLFLOW_ARTIFACTS_DESTINATION"])
        self.place = {"Bucket": uri.netloc, "Prefix": f"{uri.path.strip('/')}/".lstrip("/")}
        if owner := env.get("MLFLOW_S3_EXPECTED_BUCKET_OWNER"):
            self.place["ExpectedBucketOwner"] = owner

    def look(self) -> Iterator[Metric]:
        """List one object. Writing one would tell more, and fill a versioned bucket for ever."""
        self.client.list_objects_v2(MaxKeys=1, **self.place)
        yield from ()

    @cached_property
    def client(self) -> Any:
        import boto3
        from botocore.config import Config

        style = {"addressing_style": self.env.get("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE") or "auto"}
        config = Config(s3=style, connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})
        return boto3.client(
            "s3",
            endpoint_url=self.env.get("MLFLOW_S3_ENDPOINT_URL") or None,
            verify=False if self.env.get("MLFLOW_S3_IGNORE_TLS", "").lower() in ("true", "1") else None,
            config=config,
        )
