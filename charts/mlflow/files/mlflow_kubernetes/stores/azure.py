"""Azure: Blob Storage, and Data Lake Storage, which holds artifacts only."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from mlflow_kubernetes.stores.store import CONNECT, PIECE, READ, Folder, Store, Stream

ONCE = {"connection_timeout": CONNECT, "read_timeout": READ, "retry_total": 0}


class Blobs(Folder):
    """A container of Azure Blob Storage."""

    def check(self) -> None:
        next(iter(self.hasty_container.list_blobs(name_starts_with=self.folder, results_per_page=1)), None)

    def names(self) -> list[str]:
        found = self.container.list_blob_names(name_starts_with=self.folder)
        return [name.removeprefix(self.folder) for name in found]

    def write(self, name: str, stream: Stream) -> None:
        self.container.upload_blob(self.folder + name, stream, overwrite=True)

    def read(self, name: str) -> Iterator[bytes]:
        yield from self.container.download_blob(self.folder + name).chunks()

    def remove(self, name: str) -> None:
        self.container.delete_blob(self.folder + name)

    @cached_property
    def container(self) -> Any:
        return self._client(max_block_size=PIECE).get_container_client(self.bucket)

    @cached_property
    def hasty_container(self) -> Any:
        return self._client(**ONCE).get_container_client(self.bucket)

    def _client(self, **settings: Any) -> Any:
        """A client; `settings` are azure-core's."""
        from azure.storage.blob import BlobServiceClient

        if connection := self.env.get("AZURE_STORAGE_CONNECTION_STRING"):
            return BlobServiceClient.from_connection_string(connection, **settings)
        key = self.env.get("AZURE_STORAGE_ACCESS_KEY") or _identity()
        return BlobServiceClient(f"https://{self.uri.hostname}", credential=key, **settings)


class DataLake(Store):
    """A file system of Azure Data Lake Storage."""

    def check(self) -> None:
        self.client.get_file_system_client(self.bucket).get_file_system_properties()

    @cached_property
    def client(self) -> Any:
        from azure.storage.filedatalake import DataLakeServiceClient

        token = self.env.get("AZURE_STORAGE_SAS_TOKEN") or _identity()
        return DataLakeServiceClient(f"https://{self.uri.hostname}", credential=token, **ONCE)


def _identity() -> Any:
    """Who the pod is to Azure."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()
