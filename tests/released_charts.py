"""The charts that were released, as `make release` keeps them."""

from pathlib import Path

FOLDER = Path(__file__).parent / "e2e" / "released"


def number(archive: Path) -> tuple[int, ...]:
    """The version of a packaged chart, so that 0.10 comes after 0.9."""
    return tuple(map(int, archive.stem.removeprefix("mlflow-").split(".")))


# From the oldest to the last.
ARCHIVES = sorted(FOLDER.glob("*.tgz"), key=number)
LAST = ARCHIVES[-1]
