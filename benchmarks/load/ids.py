"""Names of what is loaded. They follow from numbers, so that no request asks the database for an id."""

import hashlib
from dataclasses import dataclass

SEED = "benchmark-1"
HISTORIES = 10


@dataclass(frozen=True)
class Size:
    """An experiment of `runs` runs with 10 metrics and 10 params each, and `points` values of each metric."""

    name: str
    experiment_id: int
    runs: int
    points: int = 0

    def parameters(self) -> dict[str, str | int]:
        """Return what the statements of runs.sql need."""
        return {
            "seed": SEED,
            "name": self.name,
            "experiment": self.experiment_id,
            "runs": self.runs,
            "points": self.points,
        }


SMALL = Size("small", 1001, 10**3, points=5)
MIDDLE = Size("middle", 1002, 10**5)
LARGE = Size("large", 1003, 10**6)
WRITES = Size("writes", 1004, 10**3)
SIZES = (SMALL, WRITES, MIDDLE, LARGE)


def run_id(size: str, number: int) -> str:
    """Return the id of a run, as runs.sql makes it."""
    return hashlib.md5(f"{SEED}-{size}-{number}".encode(), usedforsecurity=False).hexdigest()
