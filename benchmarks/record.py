"""The results of one run, in a JSON file that is written after every step."""

import json
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

from e2e.helm import MLFLOW_VERSION
from mlflowops.paths import REPO


class Record:
    """Results so far. `data` is what the file holds."""

    def __init__(self, path: Path, note: str, command: list[str]) -> None:
        self.path = path
        self._start = time.monotonic()
        self.data: dict[str, Any] = {
            "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
            "commit": _commit(),
            "command": " ".join(["python -m benchmarks", *command]),
            "note": note,
            "machine": _machine(),
            "mlflow": MLFLOW_VERSION,
            "seconds": 0,
            "pods": {},
            "load": {},
            "slices": [],
            "ui": {},
            "artifacts": {},
            "failures": [],
        }

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._start

    def put(self, section: str, name: str, **facts: Any) -> None:
        """Add facts about a peer or a step, and write the file."""
        self.data[section].setdefault(name, {}).update(facts)
        self.write()

    def failed(self, what: str, error: BaseException) -> None:
        """Note a step that failed; the run goes on."""
        text = (str(error).strip() or type(error).__name__).splitlines()[0]
        self.say(f"FAILED {what}: {text[:300]}")
        self.data["failures"].append({"what": what, "error": text[:300]})
        self.write()

    def say(self, line: str) -> None:
        """Print a line of progress, with the seconds since the run began."""
        print(f"{self.seconds:6.0f} s  {line}", flush=True)

    def write(self) -> None:
        """Write the file."""
        self.data["seconds"] = round(self.seconds)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.data, indent=1) + "\n")


def _commit() -> str:
    command = ["git", "-C", str(REPO), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def _machine() -> dict[str, Any]:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpus": os.cpu_count(),
        "memory_gib": round(pages / 2**30),
        "system": platform.system(),
        "load": round(os.getloadavg()[0], 1),
    }
