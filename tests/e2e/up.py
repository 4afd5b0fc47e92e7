"""The user's two commands, typed by a test."""

import fcntl
import json
import os
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from mlflowops.paths import REPO


@dataclass
class Up:
    """One `make up`: its exit code, everything it printed, wall seconds."""

    code: int
    output: str
    seconds: float

    @classmethod
    def run(cls, *settings: str) -> "Up":
        """Type it; one at a time, as Helm wants it."""
        with (Path(tempfile.gettempdir()) / "mlflow-tests-up.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            start = time.monotonic()
            done = subprocess.run(
                ["make", "up", *settings],
                cwd=REPO,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            print(done.stdout)
            return cls(done.returncode, done.stdout, time.monotonic() - start)

    @classmethod
    def once(cls, shared: Path, *settings: str) -> "Up":
        """Of all workers of a test run the first types it; the others wait, and read how it went."""
        with (shared / "-".join(("up", *settings))).open("a+") as said:
            fcntl.flock(said, fcntl.LOCK_EX)
            said.seek(0)
            if not (text := said.read()):
                text = json.dumps(asdict(cls.run(*settings)))
                said.write(text)
        return cls(**json.loads(text))

    @staticmethod
    def remove() -> None:
        subprocess.run(["make", "down"], cwd=REPO, check=True)

    @staticmethod
    def kubeconfig() -> Path:
        command = [REPO / ".venv/bin/testbed", "cluster", "kubeconfig"]
        return Path(subprocess.run(command, check=True, text=True, capture_output=True).stdout.strip())


def load_image(what: str, kubeconfig: Path) -> None:
    """Build an image, or a group of them, and bring it to the nodes."""
    run(f"testbed images build {what} | cut -d' ' -f2 | xargs testbed cluster load", kubeconfig)


def run(command: str, kubeconfig: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Type a command line in a shell that has the pinned tools on PATH, as the README says."""
    tools = subprocess.run(["make", "-s", "tools-path"], cwd=REPO, check=True, text=True, capture_output=True)
    env = {**os.environ, "PATH": f"{REPO / '.venv/bin'}:{tools.stdout.strip()}:{os.environ['PATH']}"}
    if kubeconfig:
        env["KUBECONFIG"] = str(kubeconfig)
    done = subprocess.run(["bash", "-c", command], cwd=REPO, env=env, text=True, capture_output=True)
    if check and done.returncode:
        raise AssertionError(f"{command}\nexit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done
