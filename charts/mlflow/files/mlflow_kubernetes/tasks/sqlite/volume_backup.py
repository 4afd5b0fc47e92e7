"""Back SQLite and the artifacts on the volume up into the object store: the backup CronJob of the default.

The pod runs on the server's node, since most volumes are mounted by one node only, and mounts it read-only.
"""

import argparse
import os
import tempfile
from pathlib import Path
from typing import NoReturn

from mlflow_kubernetes.stores.artifact_root import artifact_root
from mlflow_kubernetes.stores.sqlite_volume import in_use
from mlflow_kubernetes.tasks.backup.new_backup import NewBackup, add_options
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
    backup = NewBackup(task, options)
    if not task.sqlite.path.exists():
        raise TaskError(f"{task.sqlite.path} does not exist; start the server first.")
    with in_use(task.sqlite.path, _refuse), tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        known = copy_database(task.sqlite, copy)
        backup.store(Pieces(pack(copy, artifact_folder(), task.log.info)), known)
    return backup.prune()


def _refuse() -> NoReturn:
    raise TaskError("a restore is running; the next backup comes after it.")


def main() -> int:
    """Run it; the exit code of the Job."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    options = parser.parse_args()
    task = VolumeTask("backup", os.environ["MLFLOW_BACKEND_STORE_URI"], options.seconds)
    return task.run(lambda: back_up(task, options))
