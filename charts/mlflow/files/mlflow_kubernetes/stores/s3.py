"""S3, and what speaks its API, with the variables that MLflow's own client of S3 reads."""

import json
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

    def open_for_check(self) -> None:
        """Make the client."""
        _ = self.check_client

    def check(self) -> None:
        """List one object."""
        self.check_client.list_objects_v2(**self._listing, MaxKeys=1)

    def names(self) -> list[str]:
        """Return the names of all objects below the folder."""
        pages = self.client.get_paginator("list_objects_v2").paginate(**self._listing)
        return [each["Key"].removeprefix(self.folder) for page in pages for each in page.get("Contents", [])]

    def write(self, name: str, stream: Stream) -> None:
        """Upload the stream in chunks."""
        from boto3.s3.transfer import TransferConfig

        config = TransferConfig(multipart_threshold=CHUNK, multipart_chunksize=CHUNK, max_concurrency=2)
        config.max_in_memory_upload_chunks = 2
        extra = {**json.loads(self.env.get("MLFLOW_S3_UPLOAD_EXTRA_ARGS") or "{}"), **self._owner}
        self.client.upload_fileobj(stream, self.bucket, self.folder + name, ExtraArgs=extra, Config=config)

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the object in chunks."""
        answer = self.client.get_object(**self._object(name))
        yield from answer["Body"].iter_chunks(MIB)

    def remove(self, name: str) -> None:
        """Delete the object."""
        self.client.delete_object(**self._object(name))

    def versioning(self) -> str:
        """Return the status of the bucket's versioning, empty if it never had any."""
        found = self.client.get_bucket_versioning(Bucket=self.bucket, **self._owner)
        return str(found.get("Status", ""))

    @property
    def _owner(self) -> dict[str, str]:
        owner = self.env.get("MLFLOW_S3_EXPECTED_BUCKET_OWNER")
        return {"ExpectedBucketOwner": owner} if owner else {}

    @property
    def _listing(self) -> dict[str, str]:
        return {"Bucket": self.bucket, "Prefix": self.folder, **self._owner}

    def _object(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.folder + name, **self._owner}

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
    from botocore import UNSIGNED
    from botocore.config import Config

    signature = env.get("MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION") or "s3v4"
    settings["signature_version"] = UNSIGNED if signature.lower() == "unsigned" else signature
    style = {"addressing_style": env.get("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE") or "auto"}
    return boto3.client(
        "s3",
        endpoint_url=env.get("MLFLOW_S3_ENDPOINT_URL") or None,
        verify=False if env.get("MLFLOW_S3_IGNORE_TLS", "").lower() in ("true", "1") else None,
        config=Config(s3=style, **settings),
    )
