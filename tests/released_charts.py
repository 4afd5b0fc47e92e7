"""The charts that were released, as `make release` keeps them."""

from pathlib import Path

import yaml

FOLDER = Path(__file__).parent / "e2e" / "released"


def version(chart: Path) -> str:
    """The version of a chart: a packaged one says it in its name, a folder in its Chart.yaml."""
    if chart.is_dir():
        return str(yaml.safe_load((chart / "Chart.yaml").read_text())["version"])
    return chart.stem.removeprefix("mlflow-")


def number(archive: Path) -> tuple[int, ...]:
    """The version of a packaged chart, so that 0.10 comes after 0.9."""
    return tuple(map(int, version(archive).split(".")))


# From the oldest to the last.
ARCHIVES = sorted(FOLDER.glob("*.tgz"), key=number)
LAST = ARCHIVES[-1]
