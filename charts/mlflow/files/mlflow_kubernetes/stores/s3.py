"""S3, and what speaks its API."""

from collections.abc import Iterator, Mapping
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


class S3(BackupStore):
    """A bucket of S3."""

    def check(self) -> None:
        """List one object."""
        owner = self.env.get("MLFLOW_S3_EXPECTED_BUCKET_OWNER")
        options = {"ExpectedBucketOwner": owner} if owner else {}
        self.check_client.list_objects_v2(Bucket=self.bucket, Prefix=self.folder, MaxKeys=1, **options)

    def names(self) -> list[str]:
        """Return the names of all objects below the folder."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.folder)
        return [each["Key"].removeprefix(self.folder) for page in pages for each in page.get("Contents", [])]

    def write(self, name: str, stream: Stream) -> None:
        """Upload the stream in chunks."""
        from boto3.s3.transfer import TransferConfig

        config = TransferConfig(multipart_threshold=CHUNK, multipart_chunksize=CHUNK, max_concurrency=2)
        config.max_in_memory_upload_chunks = 2
        self.client.upload_fileobj(stream, self.bucket, self.folder + name, Config=config)

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the object in chunks."""
        answer = self.client.get_object(Bucket=self.bucket, Key=self.folder + name)
        yield from answer["Body"].iter_chunks(MIB)

    def remove(self, name: str) -> None:
        """Delete the object."""
        self.client.delete_object(Bucket=self.bucket, Key=self.folder + name)

    def versioning(self) -> str:
        """Return the status of the bucket's versioning, empty if it never had any."""
        return str(self.client.get_bucket_versioning(Bucket=self.bucket).get("Status", ""))

    @cached_property
    def client(self) -> Any:
        """Return the client."""
        return _client(self.env)

    @cached_property
    def check_client(self) -> Any:
        """Return a client that tries once, with short timeouts."""
        single_try = {"total_max_attempts": 1}
        return _client(
            self.env, connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT, retries=single_try
        )


def _client(env: Mapping[str, str], **settings: Any) -> Any:
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
