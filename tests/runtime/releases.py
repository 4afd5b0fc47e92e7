"""Databases of older MLflows: made once by that release's own server, then kept as dumps outside the tree."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.locks import locked

from runtime.postgres import Postgres
from runtime.server import environment
from testbed import paths

TESTS = Path(__file__).parents[1]
MAKERS = [
    TESTS / name
    for name in ("runtime/releases.py", "runtime/old_release.py", "cli/laptop.py", "cli/compare.py")
]
# The oldest release that runs with the packages of the current one.
SHARES_PACKAGES = (3, 10)
UV = Path(sys.executable).parent / "uv"


@dataclass(frozen=True)
class Release:
    """A release on PyPI: its own code writes the rows.

    It runs with the packages that the current one has, or, before 3.10, in an environment of its own.
    """

    version: str
    postgres: Postgres

    @property
    def folder(self) -> Path:
        """Has `dump.sql` and `facts.json`; another way to make them makes another folder."""
        makers = b"".join(path.read_bytes() for path in MAKERS)
        key = hashlib.sha256(makers).hexdigest()[:12]
        return paths.cache("old-databases") / f"{self.version}-{key}"

    @property
    def facts(self) -> dict[str, Any]:
        """What a client of that release read from its server."""
        found: dict[str, Any] = json.loads((self.folder / "facts.json").read_text())
        return found

    @property
    def environment(self) -> dict[str, str]:
        """Lets Python find that release instead of ours, and keep what it compiles of it."""
        packages = paths.cache("old-databases") / self.version
        if not packages.exists():
            with tempfile.TemporaryDirectory(dir=packages.parent) as temporary:
                self._install(Path(temporary, "packages")).rename(packages)
        return {"PYTHONPATH": f"{packages}:{TESTS}", "PYTHONDONTWRITEBYTECODE": ""}

    @property
    def python(self) -> Path:
        """The interpreter that finds that release."""
        if tuple(map(int, self.version.split("."))) >= SHARES_PACKAGES:
            return Path(sys.executable)
        # SQLAlchemy 2.1 lacks a name that they import.
        wanted = [f"mlflow=={self.version}", "psycopg2-binary", "sqlalchemy<2.1"]
        key = hashlib.sha256(" ".join(wanted).encode()).hexdigest()[:8]
        place = paths.cache("old-databases") / f"{self.version}-python-{key}"
        with locked(paths.cache("old-databases", "locks") / self.version, f"MLflow {self.version}"):
            if not (place / "whole").exists():
                subprocess.run([UV, "venv", "-q", "--clear", "--python", sys.executable, place], check=True)
                subprocess.run([UV, "pip", "install", "-q", "--python", place, *wanted], check=True)
                (place / "whole").touch()
        return place / "bin" / "python"

    def _install(self, folder: Path) -> Path:
        wanted = [f"{name}=={self.version}" for name in ("mlflow", "mlflow-skinny", "mlflow-tracing")]
        command = [UV, "pip", "install", "-q", "--no-deps", "--python", sys.executable, "--target", folder]
        subprocess.run([*command, *wanted], check=True)
        return folder

    def make(self, where: dict[str, str], home: Path) -> None:
        """Let that release's server fill an empty database, and keep what it wrote."""
        own = self.python != Path(sys.executable)
        packages = {"PYTHONPATH": str(TESTS)} if own else self.environment
        fill = [self.python, "-m", "runtime.old_release", "postgresql+psycopg2://", home]
        subprocess.run(fill, check=True, env=environment(home, **where, **packages), cwd=home)
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as temporary:
            made = Path(temporary, "made")
            made.mkdir()
            shutil.copy(home / "facts.json", made)
            self._run(where, "pg_dump", "--no-owner", "--file", made / "dump.sql")
            made.rename(self.folder)

    def restore(self, where: dict[str, str]) -> None:
        """Fill an empty database with it."""
        self._run(where, "psql", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f", self.folder / "dump.sql")

    def _run(self, where: dict[str, str], program: str, *words: str | Path) -> None:
        command = [self.postgres.bin / program, *words]
        subprocess.run(command, check=True, env=os.environ | where, stdout=subprocess.DEVNULL)
