"""Backups in an object store, of three objects each: `<name>.dump`, its SHA-256 as `sha256sum` has it, facts.

The facts come last: without them it is no backup, whatever else of it is there.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone

from mlflow_kubernetes.stores.object_store import Stream
from mlflow_kubernetes.stores.store_factory import open_backup_store
from mlflow_kubernetes.tasks.backup.facts import MAX_FACTS_BYTES, Facts, parse_facts
from mlflow_kubernetes.tasks.task import TaskError

NAME_FORMAT = "%Y%m%dT%H%M%SZ"
SUFFIXES = (".json", ".dump.sha256", ".dump")


class Backups:
    """All backups in a folder of an object store."""

    def __init__(self, env: Mapping[str, str], address: str) -> None:
        self.store = open_backup_store(env, address)

    def put(self, name: str, dump: Stream, facts: Facts) -> Facts:
        """Store a dump as it comes; the facts with its size and SHA-256."""
        hashed = HashingStream(dump)
        self.store.write(f"{name}.dump", hashed)
        facts = {**facts, "name": name, "size": hashed.size, "sha256": hashed.sha256.hexdigest()}
        self._write(f"{name}.dump.sha256", f"{facts['sha256']}  {name}.dump\n")
        self._write(f"{name}.json", json.dumps(facts, indent=2))
        return facts

    def names(self) -> list[str]:
        """Names of all that are complete, the newest first; a name is the time of its beginning."""
        return _complete_names(self._parts())

    def facts(self, name: str) -> Facts:
        """What is known of one; `latest` is a name too."""
        names = self.names()
        if name == "latest" and names:
            name = names[0]
        if name not in names:
            there = f"there are {', '.join(names[:5])}" if names else "there is none"
            raise TaskError(f"no backup {name!r} in {self.store}; {there}.")
        text = bytearray()
        for chunk in self.store.read(f"{name}.json"):
            text += chunk
            if len(text) > MAX_FACTS_BYTES:
                raise TaskError(f"{name}.json is too large for the facts of a backup; take another backup.")
        return parse_facts(name, bytes(text))

    def list_all(self) -> list[Facts]:
        """The facts of all backups, the newest first; what is not readable hides no other."""
        return [self._facts_or_placeholder(name) for name in self.names()]

    def _facts_or_placeholder(self, name: str) -> Facts:
        try:
            return self.facts(name)
        except TaskError:
            return {"name": name, "size": 0, "rows": {}, "mlflow": "unreadable", "sha256": ""}

    def chunks(self, facts: Facts) -> Iterator[bytes]:
        """The dump, piece by piece; an error at its end if it is not what was stored."""
        sha256 = hashlib.sha256()
        for chunk in self.store.read(f"{facts['name']}.dump"):
            sha256.update(chunk)
            yield chunk
        if sha256.hexdigest() != facts["sha256"]:
            raise TaskError(f"{facts['name']}.dump is damaged: its SHA-256 differs; take another backup.")

    def prune(self, keep: int, days: float) -> list[str]:
        """Remove those older than so many days except the newest ones, and remains of failed ones."""
        parts, now = self._parts(), datetime.now(timezone.utc)
        complete, oldest = _complete_names(parts), (now - timedelta(days=days)).strftime(NAME_FORMAT)
        yesterday = (now - timedelta(days=1)).strftime(NAME_FORMAT)
        old = [name for name in complete[keep:] if name < oldest]
        old += [name for name in parts if name not in complete and name < yesterday]
        for name in old:
            for part in [part for part in SUFFIXES if part in parts[name]]:
                self.store.remove(name + part)
        return old

    def _parts(self) -> dict[str, set[str]]:
        """Which parts there are of which backup."""
        found: dict[str, set[str]] = {}
        for each in self.store.names():
            name, dot, part = each.partition(".")
            if dot + part in SUFFIXES and _is_name(name):
                found.setdefault(name, set()).add(dot + part)
        return found

    def _write(self, name: str, text: str) -> None:
        self.store.write(name, io.BytesIO(text.encode()))


class HashingStream:
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


def _complete_names(parts: Mapping[str, set[str]]) -> list[str]:
    """Names of those that have their facts, the newest first."""
    return sorted((name for name, found in parts.items() if ".json" in found), reverse=True)


def _is_name(text: str) -> bool:
    """Return whether it is a time in the form that sorts by age. A future one would always be the latest."""
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).strftime(NAME_FORMAT)
    try:
        return datetime.strptime(text, NAME_FORMAT).strftime(NAME_FORMAT) == text <= tomorrow
    except ValueError:
        return False
