"""Azure: Blob Storage, and Data Lake Storage, which holds artifacts only."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from mlflow_kubernetes.stores.object_store import (
    CHUNK,
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    BackupStore,
    ObjectStore,
    Stream,
)

SINGLE_TRY = {"connection_timeout": CONNECT_TIMEOUT, "read_timeout": READ_TIMEOUT, "retry_total": 0}


class BlobStorage(BackupStore):
    """A container of Azure Blob Storage."""

    def open_for_check(self) -> None:
        """Make the client."""
        _ = self.check_container

    def check(self) -> None:
        """List one object."""
        next(iter(self.check_container.list_blobs(name_starts_with=self.folder, results_per_page=1)), None)

    def names(self) -> list[str]:
        """Return the names of all objects below the folder."""
        found = self.container.list_blob_names(name_starts_with=self.folder)
        return [name.removeprefix(self.folder) for name in found]

    def write(self, name: str, stream: Stream) -> None:
        """Upload the stream in chunks."""
        self.container.upload_blob(self.folder + name, stream, overwrite=True)

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the object in chunks."""
        yield from self.container.download_blob(self.folder + name).chunks()

    def remove(self, name: str) -> None:
        """Delete the object."""
        self.container.delete_blob(self.folder + name)

    @cached_property
    def container(self) -> Any:
        """Return the client of the container."""
        return self._client(max_block_size=CHUNK).get_container_client(self.bucket)

    @cached_property
    def check_container(self) -> Any:
        """Return a client that tries once, with short timeouts."""
        return self._client(**SINGLE_TRY).get_container_client(self.bucket)

    def _client(self, **settings: Any) -> Any:
        """A client; `settings` are azure-core's."""
        from azure.storage.blob import BlobServiceClient

        if connection := self.env.get("AZURE_STORAGE_CONNECTION_STRING"):
            return BlobServiceClient.from_connection_string(connection, **settings)
        key = self.env.get("AZURE_STORAGE_ACCESS_KEY") or _credential()
        return BlobServiceClient(f"https://{self.uri.hostname}", credential=key, **settings)


class DataLake(ObjectStore):
    """A file system of Azure Data Lake Storage."""

    def open_for_check(self) -> None:
        """Make the client."""
        _ = self.client

    def check(self) -> None:
        """Read the properties of the file system."""
        self.client.get_file_system_client(self.bucket).get_file_system_properties()

    @cached_property
    def client(self) -> Any:
        """Return the client."""
        from azure.storage.filedatalake import DataLakeServiceClient

        token = self.env.get("AZURE_STORAGE_SAS_TOKEN") or _credential()
        return DataLakeServiceClient(f"https://{self.uri.hostname}", credential=token, **SINGLE_TRY)


def _credential() -> Any:
    """Who the pod is to Azure."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()
