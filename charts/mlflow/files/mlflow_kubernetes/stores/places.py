"""A folder in an object store, for backups: S3, Azure Blob Storage or Google Cloud Storage.

What is written may be larger than memory and disk together: it goes on in pieces, as it comes.
"""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

from mlflow_kubernetes.stores.objects import azure_client, gcs_client, s3_client

MIB = 1 << 20
# S3 takes 10,000 pieces: this is enough for 300 GiB, and three of them are in memory.
PIECE = 32 * MIB


class Stream(Protocol):
    """What can be read once."""

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer at the end only."""


class Place(ABC):
    """The folder; names are of objects in it."""

    def __init__(self, env: Mapping[str, str], uri: SplitResult) -> None:
        self.env = env
        self.uri = uri
        self.bucket = uri.username or uri.netloc
        self.folder = f"{uri.path.strip('/')}/".lstrip("/")

    def __str__(self) -> str:
        return self.uri.geturl()

    @abstractmethod
    def names(self) -> list[str]:
        """Of all objects."""

    @abstractmethod
    def write(self, name: str, stream: Stream) -> None:
        """Store it to its end."""

    @abstractmethod
    def read(self, name: str) -> Iterator[bytes]:
        """The object, piece by piece."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove one that is there."""


def place(env: Mapping[str, str], address: str) -> Place:
    """The one at `s3://bucket/path`, `wasbs://container@account/path` or `gs://bucket/path`."""
    kinds: dict[str, type[Place]] = {"s3": S3, "wasbs": Azure, "gs": Gcs}
    uri = urlsplit(address)
    return kinds[uri.scheme](env, uri)


class S3(Place):
    """A bucket of S3, or of what speaks its API."""

    def names(self) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.folder)
        return [each["Key"].removeprefix(self.folder) for page in pages for each in page.get("Contents", [])]

    def write(self, name: str, stream: Stream) -> None:
        from boto3.s3.transfer import TransferConfig

        config = TransferConfig(multipart_threshold=PIECE, multipart_chunksize=PIECE, max_concurrency=2)
        config.max_in_memory_upload_chunks = 2
        self.client.upload_fileobj(stream, self.bucket, self.folder + name, Config=config)

    def read(self, name: str) -> Iterator[bytes]:
        answer = self.client.get_object(Bucket=self.bucket, Key=self.folder + name)
        yield from answer["Body"].iter_chunks(MIB)

    def remove(self, name: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=self.folder + name)

    @cached_property
    def client(self) -> Any:
        return s3_client(self.env)


class Azure(Place):
    """A container of Azure Blob Storage."""

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
        client = azure_client(self.env, str(self.uri.hostname), max_block_size=PIECE)
        return client.get_container_client(self.bucket)


class Gcs(Place):
    """A bucket of Google Cloud Storage."""

    def names(self) -> list[str]:
        return [blob.name.removeprefix(self.folder) for blob in self.store.list_blobs(prefix=self.folder)]

    def write(self, name: str, stream: Stream) -> None:
        with self.store.blob(self.folder + name).open("wb", chunk_size=PIECE) as file:
            shutil.copyfileobj(stream, file, MIB)

    def read(self, name: str) -> Iterator[bytes]:
        with self.store.blob(self.folder + name).open("rb", chunk_size=PIECE) as file:
            yield from iter(lambda: file.read(MIB), b"")

    def remove(self, name: str) -> None:
        self.store.delete_blob(self.folder + name)

    @cached_property
    def store(self) -> Any:
        return gcs_client().bucket(self.bucket)
