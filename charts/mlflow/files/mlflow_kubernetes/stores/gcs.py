"""Google Cloud Storage; its library reads the environment itself."""

import shutil
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from mlflow_kubernetes.stores.object_store import (
    CHUNK,
    CONNECT_TIMEOUT,
    MIB,
    READ_TIMEOUT,
    BackupStore,
    Stream,
)


class Gcs(BackupStore):
    """A bucket of Google Cloud Storage."""

    def open_for_check(self) -> None:
        """Make the client."""
        _ = self.client

    def check(self) -> None:
        """List one object."""
        single_try = {"max_results": 1, "timeout": (CONNECT_TIMEOUT, READ_TIMEOUT), "retry": None}
        next(iter(self.client.list_blobs(self.bucket, prefix=self.folder, **single_try)), None)

    def names(self) -> list[str]:
        """Return the names of all objects below the folder."""
        found = self.client.bucket(self.bucket).list_blobs(prefix=self.folder)
        return [blob.name.removeprefix(self.folder) for blob in found]

    def write(self, name: str, stream: Stream) -> None:
        """Upload the stream in chunks."""
        with self._blob(name).open("wb", chunk_size=CHUNK) as file:
            shutil.copyfileobj(stream, file, MIB)

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the object in chunks."""
        with self._blob(name).open("rb", chunk_size=CHUNK) as file:
            yield from iter(lambda: file.read(MIB), b"")

    def remove(self, name: str) -> None:
        """Delete the object."""
        self.client.bucket(self.bucket).delete_blob(self.folder + name)

    def _blob(self, name: str) -> Any:
        return self.client.bucket(self.bucket).blob(self.folder + name)

    @cached_property
    def client(self) -> Any:
        """Return the client."""
        from google.cloud.storage import Client

        return Client()
