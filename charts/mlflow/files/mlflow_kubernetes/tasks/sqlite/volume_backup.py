"""Back SQLite and the artifacts on the volume up into the object store: the backup CronJob of the default.

The pod runs on the server's node, since most volumes are mounted by one node only, and mounts it read-only.
"""

import argparse
import os
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import NoReturn

from mlflow_kubernetes.stores.artifact_root import artifact_root
from mlflow_kubernetes.stores.sqlite_volume import in_use
from mlflow_kubernetes.tasks.backup.catalog import NAME_FORMAT, Backups
from mlflow_kubernetes.tasks.sqlite.archive import Pieces, pack
from mlflow_kubernetes.tasks.sqlite.sqlite_copy import copy_database
from mlflow_kubernetes.tasks.sqlite.volume_task import VolumeTask
from mlflow_kubernetes.tasks.task import Report, TaskError


def artifact_folder() -> Path | None:
    """Return the folder of the artifacts, None if they are in an object store."""
    root = artifact_root(os.environ)
    return None if "://" in root else Path(root)


def back_up(task: VolumeTask, options: argparse.Namespace) -> Report:
    """Copy the database, store the copy and the artifacts, and remove backups that are too old."""
    began, backups = time.monotonic(), Backups(os.environ, options.destination)
    name = datetime.now(timezone.utc).strftime(NAME_FORMAT)
    if not task.sqlite.path.exists():
        raise TaskError(f"{task.sqlite.path} does not exist; start the server first.")
    with in_use(task.sqlite.path, _refuse), tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        known = copy_database(task.sqlite, copy)
        task.log.info(f"storing {options.destination}/{name}.dump: {sum(known['rows'].values())} rows.")
        facts = backups.put(name, Pieces(pack(copy, artifact_folder(), task.log.info)), known)
    task.log.info(f"stored {facts['size']} bytes, SHA-256 {facts['sha256']}.")
    for old in backups.prune(options.keep, options.keep_days):
        task.log.info(f"removed {old}.")
    return {
        "size_bytes": facts["size"],
        "rows": sum(facts["rows"].values()),
        "stored": len(backups.names()),
        "duration_seconds": round(time.monotonic() - began, 1),
    }


def _refuse() -> NoReturn:
    raise TaskError("a restore is running; the next backup comes after it.")


def main() -> int:
    """Run it; the exit code of the Job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--destination", required=True, help="s3://bucket/path and the like")
    parser.add_argument("--keep", type=int, required=True, help="so many always stay")
    parser.add_argument("--keep-days", type=float, required=True, help="older ones go")
    parser.add_argument("--seconds", type=int, required=True, help="until Kubernetes ends it")
    options = parser.parse_args()
    task = VolumeTask("backup", os.environ["MLFLOW_BACKEND_STORE_URI"], options.seconds)
    return task.run(lambda: back_up(task, options))
