"""What people saw of one fault, in figures; a line of JSON in the file that MLFLOW_FAULTS_RECORD names."""

import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlflowops.paths import REPO

RECORD = "MLFLOW_FAULTS_RECORD"
GIT = ["git", "-C", str(REPO), "rev-parse", "--short", "HEAD"]
# When the tests began: the commit of what they installed.
COMMIT = subprocess.run(GIT, capture_output=True, text=True).stdout.strip()
NO_ANSWER = "no answer"


@dataclass
class Outcome:
    """One fault, once."""

    fault: str
    """What happened, such as `A worker is killed`."""
    test: str
    """The function that repeats it."""
    requests: int
    refused: dict[str, int]
    """By status, or `no answer`."""
    slowest: float
    """Seconds of the slowest answer; a client gives up after 60."""
    recovery: float
    """Seconds from the end of the fault to the last answer that refused something; 0 if none did after it."""
    lasted: float
    """Seconds of the fault itself."""
    restarts: int
    """Of containers of the server's pods, without those of pods that went."""
    refused_calls: dict[str, int] = field(default_factory=dict)
    """The same by call, such as `upload`."""
    pause: float = 0
    """Seconds between two acknowledged writes to the database, of any client, at most."""
    acknowledged: int = 0
    """Runs, metric points, params, tags, artifacts and model versions."""
    lost: list[str] = field(default_factory=list)
    """What was acknowledged and is not there at the end, or was not there when a client read it."""
    doubled: list[str] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
    """What is there and was never sent."""

    def saw(self) -> str:
        """One sentence made of the figures."""
        count = sum(self.refused.values())
        if not count:
            return f"None of {self.requests:,} requests was refused; the slowest took {self.slowest:.1f} s."
        kinds = [_kind(status, number) for status, number in sorted(self.refused.items())]
        return f"Of {self.requests:,} requests {' and '.join(kinds)}; the slowest took {self.slowest:.1f} s."

    def record(self) -> None:
        """Print it, and add it to the file if there is one."""
        line = json.dumps({**asdict(self), "saw": self.saw(), "commit": COMMIT, "date": today()})
        print(line)
        if path := os.environ.get(RECORD):
            with Path(path).open("a") as file:
                file.write(line + "\n")

    def check(self) -> "Outcome":
        """Nothing that was acknowledged is lost, nothing is there twice, nothing was made up."""
        assert not self.lost, self.lost[:10]
        assert not self.doubled, self.doubled[:10]
        assert not self.stray, self.stray[:10]
        return self


def _kind(status: str, number: int) -> str:
    return f"{number:,} had no answer" if status == NO_ANSWER else f"{number:,} were answered {status}"


def today() -> str:
    """Return the day of a record, in UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime())


def lost(seen: dict[str, Any]) -> list[str]:
    """What the check did not find, and what readers missed meanwhile."""
    return [*seen["lost"], *(f"read without {each}" for each in seen["wrong"])]
