"""The chart's launcher as a process, with the environment that the chart gives to a pod."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import requests
from mlflowops.paths import REPO

from runtime.network import free_port, wait_until

FILES = REPO / "charts" / "mlflow" / "files"
PACKAGE = FILES / "mlflow_kubernetes"


def environment(folder: Path, **more: str) -> dict[str, str]:
    """What the chart sets in every container, plus `more`; nothing of this machine but PATH."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "MLFLOW_KUBERNETES_LEAVING_FILE": str(folder / "leaving"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_MODEL_CATALOG_URI": "",
        "MLFLOW_ENABLE_AI_GATEWAY": "false",
        "MLFLOW_ARTIFACTS_DESTINATION": str(folder / "artifacts"),
        "MLFLOW_HOST": "127.0.0.1",
        "MLFLOW_WORKERS": "1",
        **more,
    }


def run(program: str, env: dict[str, str]) -> subprocess.Popen[str]:
    """Start one of the chart's programs; its output is one stream."""
    command = [sys.executable, str(PACKAGE), program]
    return subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=env["HOME"]
    )


@dataclass
class Server:
    """A server that runs until `stop`."""

    folder: Path
    env: dict[str, str]
    port: int = field(default_factory=free_port)
    before: tuple[str, ...] = ()
    """What starts it, by the rest of the command."""

    def __post_init__(self) -> None:
        self.prefix = self.env.get("MLFLOW_STATIC_PREFIX", "")
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.folder / "log"
        self.leaving = self.folder / "leaving"  # what preStop touches

    def start(self) -> "Server":
        """Start it without waiting."""
        env = environment(self.folder, MLFLOW_PORT=str(self.port), **self.env)
        with self.log.open("wb") as log:
            command = [*self.before, sys.executable, str(PACKAGE), "server"]
            self.process = subprocess.Popen(
                command, env=env, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        return self

    def ready(self) -> "Server":
        """Wait until it answers its health check and has all its workers; the first answers alone."""
        wait_until(f"the server (log: {self.log})", self._answers, 600)
        if self.env.get("MLFLOW_KUBERNETES_LAUNCHER", "direct") == "direct":
            count = int(environment(self.folder, **self.env)["MLFLOW_WORKERS"])
            wait_until("all workers", lambda: len(self.workers()) == count)
        return self

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return requests.get(f"{self.url}{self.prefix}/health", timeout=5).ok
        except requests.RequestException:
            return False

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.terminate()
        return self.process.wait(60)

    def workers(self) -> list[int]:
        """The processes that answer requests."""
        main = self.process.pid
        return [int(pid) for pid in Path(f"/proc/{main}/task/{main}/children").read_text().split()]

    def memory(self) -> float:
        """MiB of all its processes, what they share counted once."""
        rollups = [Path(f"/proc/{pid}/smaps_rollup") for pid in (self.process.pid, *self.workers())]
        sizes = [line.split()[1] for file in rollups for line in file.open() if line.startswith("Pss:")]
        return sum(map(int, sizes)) / 1024

    def kill(self) -> None:
        """End it at once, with its workers."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, 9)
            self.process.wait()
