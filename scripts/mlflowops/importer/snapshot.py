"""Copies the metadata of a file store or of a SQLite file into a database that can be read and changed.

The source itself is never written to: neither by a schema upgrade nor by a lock.
"""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from mlflowops import shell
from mlflowops.errors import OpsError
from mlflowops.importer.locations import TRASH, AllowedLocations

MLFLOW = [sys.executable, "-W", "ignore", "-m", "mlflow"]
ENVIRONMENT = {"MLFLOW_DISABLE_TELEMETRY": "true"}


def snapshot_sqlite(source: Path, folder: Path) -> str:
    """Copy a SQLite file and upgrade the copy to our schema."""
    copy = folder / "source.db"
    copy_sqlite(source, copy)
    uri = f"sqlite:///{copy}"
    try:
        shell.run([*MLFLOW, "db", "upgrade", uri], env=ENVIRONMENT)
    except OpsError as error:
        wrong = "its schema cannot be upgraded; most often a newer MLflow made it"
        raise OpsError(str(source), wrong, "install the MLflow that made it and import again") from error
    return uri


def copy_sqlite(source: Path, copy: Path, table: str = "experiments") -> None:
    """Copy a SQLite file, also while a server uses it; it must have a table."""
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(copy)) as ours,
        ):
            live.backup(ours)
            tables = {name for (name,) in ours.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise OpsError(
            str(source), f"not a readable SQLite file ({error})", "give MLflow's database"
        ) from error
    if table not in tables:
        raise OpsError(str(source), "not a database of MLflow", "give the file named in --backend-store-uri")


def snapshot_file_store(mlruns: Path, folder: Path, locations: AllowedLocations) -> str:
    """Turn a file store into a database by MLflow's own `mlflow migrate-filestore`.

    It covers experiments, runs, params, metric histories, tags, datasets, traces, logged and registered
    models, and keeps the ids; it does not copy artifacts and wants an empty SQLite file as its target.
    """
    mirror = folder / "mlruns"
    _Mirror(locations).mirror_store(mlruns, mirror)
    uri = f"sqlite:///{folder / 'source.db'}"
    try:
        shell.run(
            [*MLFLOW, "migrate-filestore", "--source", mirror, "--target", uri, "--no-progress"],
            env=ENVIRONMENT,
        )
    except OpsError as error:
        wrong = f"`mlflow migrate-filestore` cannot read it: {error}"
        raise OpsError(str(mlruns), wrong, "repair or remove the file it names") from error
    return uri


class _Mirror:
    """Links to everything but artifacts, and rewrites metrics that hold the same point twice.

    A file store takes a point twice, for example a constant logged in a fast loop; the migration stops at it
    because a database cannot hold it. A file that is a link to the outside, such as a param that links to a
    private key, stops the import.
    """

    def __init__(self, locations: AllowedLocations) -> None:
        self.locations = locations

    def mirror_store(self, mlruns: Path, mirror: Path) -> None:
        mirror.mkdir(parents=True)
        for entry in sorted(mlruns.iterdir()):
            if entry.name == TRASH:
                self.mirror_store(entry, mirror / entry.name)
            elif entry.is_dir() and entry.name.isdigit():
                self.mirror_experiment(entry, mirror / entry.name)
            else:
                self._link(entry, mirror / entry.name)

    def mirror_experiment(self, experiment: Path, mirror: Path) -> None:
        mirror.mkdir()
        for entry in sorted(experiment.iterdir()):
            if (entry / "metrics").is_dir():
                self.mirror_run(entry, mirror / entry.name)
            elif entry.name == "models" and entry.is_dir():
                self.mirror_experiment(entry, mirror / entry.name)
            else:
                self._link(entry, mirror / entry.name)

    def mirror_run(self, run: Path, mirror: Path) -> None:
        mirror.mkdir()
        for entry in run.iterdir():
            if entry.name not in ("artifacts", "metrics"):
                self._link(entry, mirror / entry.name)
        self._check(run / "metrics", set())
        for file in (run / "metrics").rglob("*"):
            if file.is_file():
                place = mirror / "metrics" / file.relative_to(run / "metrics")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text("".join(f"{line}\n" for line in _points(file)))

    def _link(self, entry: Path, place: Path) -> None:
        self._check(entry, set())
        place.symlink_to(entry)

    def _check(self, entry: Path, seen: set[Path]) -> None:
        real = Path(os.path.realpath(entry))
        if not self.locations.contains(real):
            wrong = f"is a link to {real}, outside of the file store"
            raise OpsError(str(entry), wrong, "remove it, or put there what it links to")
        if real.is_dir() and real not in seen:
            seen.add(real)
            for each in real.iterdir():
                self._check(each, seen)


def _points(file: Path) -> list[str]:
    """Return the lines of a metric file, each point once."""
    points = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        try:
            timestamp, value, *rest = line.split(" ")
            points[(int(timestamp), str(float(value)), *rest)] = line
        except ValueError as error:
            wrong = f"line {number} is not a point of a metric: {line!r}"
            raise OpsError(str(file), wrong, "remove the line") from error
    return list(points.values())
