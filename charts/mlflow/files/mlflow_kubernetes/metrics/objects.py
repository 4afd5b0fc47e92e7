"""A look at the object store: one listed object. Writing one would tell more, and fill a versioned bucket.

Each store is reached by its own SDK, with the settings that MLflow's client of it reads: importing MLflow
would take four times the memory.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult, urlsplit

from prometheus_client import Metric

from mlflow_kubernetes.stores.objects import artifacts, azure_client, azure_identity, gcs_client, s3_client

CONNECT, READ = 5, 10
"""Seconds."""
AZURE_ONCE = {"connection_timeout": CONNECT, "read_timeout": READ, "retry_total": 0}


def look_at(env: Mapping[str, str]) -> Callable[[], Iterable[Metric]] | None:
    """How to look at the store of a server that has this environment; None if that is a folder."""
    kinds: dict[str, type[Store]] = {"s3": S3, "wasbs": Blobs, "abfss": DataLake, "gs": Gcs}
    parts = urlsplit(artifacts(env))
    return kinds[parts.scheme](env, parts).look if parts.scheme in kinds else None


class Store(ABC):
    """An object store, its client made at the first look and kept."""

    def __init__(self, env: Mapping[str, str], uri: SplitResult) -> None:
        self.env = env
        self.uri = uri
        self.prefix = f"{uri.path.strip('/')}/".lstrip("/")

    def look(self) -> Iterable[Metric]:
        """Nothing to tell but that it went well; raises what did not."""
        self.list_one()
        return ()

    @abstractmethod
    def list_one(self) -> None:
        """Ask for one object, whether there is one or not."""


class S3(Store):
    """An S3 bucket."""

    def list_one(self) -> None:
        owner = self.env.get("MLFLOW_S3_EXPECTED_BUCKET_OWNER")
        more = {"ExpectedBucketOwner": owner} if owner else {}
        self.client.list_objects_v2(Bucket=self.uri.netloc, Prefix=self.prefix, MaxKeys=1, **more)

    @cached_property
    def client(self) -> Any:
        once = {"total_max_attempts": 1}
        return s3_client(self.env, connect_timeout=CONNECT, read_timeout=READ, retries=once)


class Blobs(Store):
    """A container of Azure Blob Storage."""

    def list_one(self) -> None:
        container = self.client.get_container_client(self.uri.username)
        next(iter(container.list_blobs(name_starts_with=self.prefix, results_per_page=1)), None)

    @cached_property
    def client(self) -> Any:
        return azure_client(self.env, str(self.uri.hostname), **AZURE_ONCE)


class DataLake(Store):
    """A file system of Azure Data Lake Storage."""

    def list_one(self) -> None:
        self.client.get_file_system_client(self.uri.username).get_file_system_properties()

    @cached_property
    def client(self) -> Any:
        from azure.storage.filedatalake import DataLakeServiceClient

        token = self.env.get("AZURE_STORAGE_SAS_TOKEN") or azure_identity()
        return DataLakeServiceClient(f"https://{self.uri.hostname}", credential=token, **AZURE_ONCE)


class Gcs(Store):
    """A bucket of Google Cloud Storage."""

    def list_one(self) -> None:
        once = {"max_results": 1, "timeout": (CONNECT, READ), "retry": None}
        next(iter(self.client.list_blobs(self.uri.netloc, prefix=self.prefix, **once)), None)

    @cached_property
    def client(self) -> Any:
        return gcs_client()
