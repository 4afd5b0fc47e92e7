"""Backups in a bucket, of three objects each: `<name>.dump`, its SHA-256 as `sha256sum` has it, facts.

The facts come last: without them it is no backup, whatever else of it is there.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urlsplit

from object_store import s3_client
from tasks import TaskError

NAME = "%Y%m%dT%H%M%SZ"
PARTS = (".json", ".dump.sha256", ".dump")
MIB = 1 << 20
# S3 takes 10,000 parts: this is enough for 300 GiB, and three of them are in memory.
PART = 32 * MIB
Facts = dict[str, Any]


class Stream(Protocol):
    """What can be read once."""

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer at the end only."""


class Backups:
    """All backups below `s3://bucket/path`."""

    def __init__(self, env: Mapping[str, str], address: str) -> None:
        self.env = env
        parts = urlsplit(address)
        self.bucket, self.folder = parts.netloc, parts.path.strip("/")

    def put(self, name: str, dump: Stream, facts: Facts) -> Facts:
        """Store a dump as it comes; the facts with its size and SHA-256."""
        from boto3.s3.transfer import TransferConfig

        counted = Counted(dump)
        config = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=2)
        config.max_in_memory_upload_chunks = 2
        self.client.upload_fileobj(counted, self.bucket, self._key(name, ".dump"), Config=config)
        facts = {**facts, "name": name, "size": counted.size, "sha256": counted.sha256.hexdigest()}
        self._write(name, ".dump.sha256", f"{facts['sha256']}  {name}.dump\n")
        self._write(name, ".json", json.dumps(facts, indent=2))
        return facts

    def names(self) -> list[str]:
        """Names of all that are complete, the newest first; a name is the time of its beginning."""
        return sorted((name for name, parts in self._objects().items() if ".json" in parts), reverse=True)

    def facts(self, name: str) -> Facts:
        """What is known of one; `latest` is a name too."""
        names = self.names()
        if name == "latest" and names:
            name = names[0]
        if name not in names:
            there = f"there are {', '.join(names[:5])}" if names else "there is none"
            raise TaskError(f"no backup {name!r} in s3://{self.bucket}/{self.folder}; {there}.")
        answer = self.client.get_object(Bucket=self.bucket, Key=self._key(name, ".json"))
        found: Facts = json.loads(answer["Body"].read())
        return found

    def chunks(self, facts: Facts) -> Iterator[bytes]:
        """The dump, piece by piece; an error at its end if it is not what was stored."""
        answer = self.client.get_object(Bucket=self.bucket, Key=self._key(facts["name"], ".dump"))
        sha256 = hashlib.sha256()
        for chunk in answer["Body"].iter_chunks(MIB):
            sha256.update(chunk)
            yield chunk
        if sha256.hexdigest() != facts["sha256"]:
            raise TaskError(f"{facts['name']}.dump is damaged: its SHA-256 is another; take another backup.")

    def prune(self, keep: int, days: float) -> list[str]:
        """Remove those older than so many days except the newest ones, and remains of failed ones."""
        complete, oldest = self.names(), (datetime.now(timezone.utc) - timedelta(days=days)).strftime(NAME)
        yesterday = (datetime.now(timezone.utc) - timedelta(days=1)).strftime(NAME)
        old = [name for name in complete[keep:] if name < oldest]
        old += [name for name in self._objects() if name not in complete and name < yesterday]
        for name in old:
            for part in PARTS:
                self.client.delete_object(Bucket=self.bucket, Key=self._key(name, part))
        return old

    def _objects(self) -> dict[str, set[str]]:
        """Which parts there are of which backup."""
        found: dict[str, set[str]] = {}
        prefix = self._key("", "")
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        for each in (each for page in pages for each in page.get("Contents", [])):
            name, dot, part = each["Key"].removeprefix(prefix).partition(".")
            if dot + part in PARTS and _is_name(name):
                found.setdefault(name, set()).add(dot + part)
        return found

    def _key(self, name: str, part: str) -> str:
        return f"{self.folder}/{name}{part}".lstrip("/")

    def _write(self, name: str, part: str, text: str) -> None:
        self.client.put_object(Bucket=self.bucket, Key=self._key(name, part), Body=text.encode())

    @cached_property
    def client(self) -> Any:
        return s3_client(self.env)


class Counted:
    """A stream that knows the size and the SHA-256 of what was read from it."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.size = 0
        self.sha256 = hashlib.sha256()

    def seekable(self) -> bool:
        """No, so that what was read is not read again."""
        return False

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer at the end only."""
        data = self.stream.read(size)
        self.size += len(data)
        self.sha256.update(data)
        return data


def _is_name(text: str) -> bool:
    try:
        datetime.strptime(text, NAME)
    except ValueError:
        return False
    return True
