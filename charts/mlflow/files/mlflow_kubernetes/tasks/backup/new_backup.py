"""Stores one more backup and removes those that are too old, whatever the dump is made of."""

import argparse
import os
import time
from datetime import datetime, timezone

from mlflow_kubernetes.stores.object_store import Stream
from mlflow_kubernetes.tasks.backup.catalog import NAME_FORMAT, Backups
from mlflow_kubernetes.tasks.backup.facts import Facts
from mlflow_kubernetes.tasks.task import Report, Task


class NewBackup:
    """A backup that begins now; its name is the time."""

    def __init__(self, task: Task, options: argparse.Namespace) -> None:
        self.log, self.options = task.log, options
        self.began = time.monotonic()
        self.backups = Backups(os.environ, options.destination)
        self.name = datetime.now(timezone.utc).strftime(NAME_FORMAT)
        self.facts: Facts = {}

    def store(self, dump: Stream, known: Facts) -> None:
        """Write the dump as it comes, and then what is known of it."""
        rows = sum(known["rows"].values())
        self.log.info(f"storing {self.options.destination}/{self.name}.dump: {rows} rows.")
        self.facts = self.backups.put(self.name, dump, known)
        self.log.info(f"stored {self.facts['size']} bytes, SHA-256 {self.facts['sha256']}.")

    def prune(self) -> Report:
        """Remove backups that are too old; return what the metrics show."""
        for old in self.backups.prune(self.options.keep, self.options.keep_days):
            self.log.info(f"removed {old}.")
        return {
            "size_bytes": self.facts["size"],
            "rows": sum(self.facts["rows"].values()),
            "stored": len(self.backups.names()),
            "duration_seconds": round(time.monotonic() - self.began, 1),
        }


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every backup."""
    parser.add_argument("--destination", required=True, help="s3://bucket/path and the like")
    parser.add_argument("--keep", type=int, required=True, help="so many always stay")
    parser.add_argument("--keep-days", type=float, required=True, help="older ones go")
    parser.add_argument("--seconds", type=int, required=True, help="until Kubernetes ends it")
