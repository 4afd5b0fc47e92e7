"""Restore a backup of SQLite and artifacts onto the volume while no server runs, or try it in a drill.

The backup is unpacked beside the data and checked, and only then takes its place, by renaming.
"""

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

from mlflow_kubernetes.stores.sqlite_volume import REPLACING, USE, locked
from mlflow_kubernetes.tasks.backup.catalog import Backups
from mlflow_kubernetes.tasks.backup.facts import Facts
from mlflow_kubernetes.tasks.sqlite.archive import ARTIFACTS, DATABASE, unpack
from mlflow_kubernetes.tasks.sqlite.sqlite_copy import check_copy
from mlflow_kubernetes.tasks.sqlite.volume_backup import artifact_folder
from mlflow_kubernetes.tasks.sqlite.volume_task import VolumeTask
from mlflow_kubernetes.tasks.task import Report, TaskError

# Seconds for the server to end: its grace period, and more.
SERVER_SECONDS = 180
# What SQLite left beside a database whose process was killed. It would change the restored one.
REMAINS = ("-journal", "-wal", "-shm")


class VolumeRestore:
    """One restore, with the settings of the command line."""

    def __init__(self, task: VolumeTask, options: argparse.Namespace) -> None:
        self.task = task
        self.options = options
        self.deadline = 0.0

    def work(self) -> Report:
        """Check the backup, then replace the data by it."""
        began, backups = time.monotonic(), Backups(os.environ, self.options.source)
        facts = backups.facts(self.options.backup)
        if not facts["server"].startswith("SQLite "):
            raise TaskError(f"{facts['name']} is a backup of PostgreSQL; set backendStore.postgres.")
        self.task.log.info(f"reading {self.options.source}/{facts['name']}.dump, {facts['size']} bytes.")
        if self.options.drill:
            with tempfile.TemporaryDirectory() as folder:
                count = self._unpack(backups, facts, Path(folder))
        else:
            with locked(self.task.folder / USE, self._wait):
                count = self._restore(backups, facts)
        rows = sum(facts["rows"].values())
        done = "tried" if self.options.drill else "restored"
        self.task.log.info(f"{done} {facts['name']}: {rows} rows, as counted, and {count - 1} artifacts.")
        return {"rows": rows, "duration_seconds": round(time.monotonic() - began, 1)}

    def _wait(self) -> None:
        if not self.deadline:
            self.task.log.info(f"waiting {SERVER_SECONDS} s for the end of a server or a backup.")
            self.deadline = time.monotonic() + SERVER_SECONDS
        if time.monotonic() > self.deadline:
            raise TaskError(
                "a server or a backup uses the volume; scale the Deployment to 0 first, "
                "or let `mlflowops restore` do it."
            )

    def _unpack(self, backups: Backups, facts: Facts, folder: Path) -> int:
        count = unpack(backups.chunks(facts), folder, artifacts=not self.options.drill)
        check_copy(folder / DATABASE, facts["rows"])
        return count

    def _restore(self, backups: Backups, facts: Facts) -> int:
        free = shutil.disk_usage(self.task.folder).free
        if free < facts["size"]:
            raise TaskError(
                f"the volume has {free} bytes free and the backup needs {facts['size']} beside the data; "
                "enlarge the volume."
            )
        with tempfile.TemporaryDirectory(prefix="restore-", dir=self.task.folder) as folder:
            new, old = Path(folder) / "new", Path(folder) / "old"
            new.mkdir()
            old.mkdir()
            count = self._unpack(backups, facts, new)
            self._replace(new, old)
        for left in self.task.folder.glob("restore-*"):  # by one that was killed
            shutil.rmtree(left)
        return count

    def _replace(self, new: Path, old: Path) -> None:
        """Move the data away and the backup in, or change nothing; servers do not start if this is killed."""
        mark, database = self.task.folder / REPLACING, self.task.sqlite.path
        pairs = [(database.with_name(database.name + end), old / f"database{end}") for end in REMAINS]
        for path, name in ((artifact_folder(), ARTIFACTS), (database, DATABASE)):
            if path:
                pairs += [(path, old / name), (new / name, path)]
        mark.touch()
        done: list[tuple[Path, Path]] = []
        try:
            for source, target in pairs:
                if source.exists():
                    source.rename(target)
                    done.append((source, target))
            os.sync()
        except BaseException:
            for source, target in reversed(done):
                target.rename(source)
            mark.unlink()
            raise
        mark.unlink()


def main() -> int:
    """Run it; the exit code of the Job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="s3://bucket/path")
    parser.add_argument("--backup", default="latest", help="the name of one, or latest")
    parser.add_argument("--drill", action="store_true", help="read and check it, and replace nothing")
    parser.add_argument("--seconds", type=int, required=True, help="until Kubernetes ends it")
    options = parser.parse_args()
    name = "drill" if options.drill else "restore"
    task = VolumeTask(name, os.environ["MLFLOW_BACKEND_STORE_URI"], options.seconds)
    return task.run(VolumeRestore(task, options).work)
