"""A runner of background jobs as a process, and jobs that need no language model: scorers of a trace."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from runtime.network import wait_until
from runtime.server import PACKAGE, environment
from runtime.traces import Login

JOBS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "true", "MLFLOW_SERVER_JOB_EXECUTION_ENGINE": "executor"}


@dataclass
class Runner:
    """A runner that runs until the end of its `with`."""

    folder: Path
    env: dict[str, str]
    process: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> "Runner":
        self.heartbeat, self.log = self.folder / "heartbeat", self.folder / "runner.log"
        self.heartbeat.unlink(missing_ok=True)
        env = environment(self.folder, MLFLOW_KUBERNETES_HEARTBEAT_FILE=str(self.heartbeat), **self.env)
        with self.log.open("ab") as log:
            command = [sys.executable, str(PACKAGE), "jobs"]
            self.process = subprocess.Popen(
                command, env=env, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        wait_until("the runner", self._beats)
        return self

    def _beats(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return self.heartbeat.exists()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End it at once with all that it started, as a container ends."""
        everything = [self.process.pid, *descendants(self.process.pid)] if self.process.poll() is None else []
        for pid in everything:
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
        self.process.wait()


def descendants(pid: int) -> Iterator[int]:
    """A process' children, theirs, and so on."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (thread / "children").read_text().split()):
            yield child
            with suppress(FileNotFoundError):
                yield from descendants(child)


def commands(pid: int) -> list[str]:
    """What the descendants of a process run."""
    found = (Path(f"/proc/{each}/cmdline") for each in descendants(pid))
    return [file.read_text().replace("\0", " ") for file in found]


def score(url: str, trace_id: str, scorer: Any, login: Login = None) -> str:
    """Ask for a scorer's judgement of a trace, as the UI does; the job's id."""
    body = {
        "experiment_id": "0",
        "serialized_scorer": json.dumps(scorer.model_dump()),
        "trace_ids": [trace_id],
        "log_assessments": True,
    }
    answer = requests.post(f"{url}/ajax-api/3.0/mlflow/scorer/invoke", json=body, auth=login, timeout=60)
    assert answer.ok, answer.text
    return str(answer.json()["jobs"][0]["job_id"])


def job(url: str, job_id: str, login: Login = None) -> dict[str, Any]:
    """What a server says of a job."""
    found: dict[str, Any] = requests.get(f"{url}/ajax-api/3.0/jobs/{job_id}", auth=login, timeout=60).json()
    return found
