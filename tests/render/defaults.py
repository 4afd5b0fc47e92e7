"""Write the defaults that charts/mlflow fills in for missing keys: those of its values.yaml, by dotted path.

cd tests && python -m render.defaults
"""

import yaml

from render.chart import MLFLOW
from render.test_contract import LEAVES, pick

FILE = MLFLOW.folder / "validation/defaults.yaml"
HEAD = "# The defaults of values.yaml, which templates cannot read; tests/render/defaults.py writes them.\n"


# Below `resources` a null has a meaning of its own: no limit, no request.
KEYS = sorted(
    {path.partition(".resources.")[0] + ".resources" if ".resources." in path else path for path in LEAVES}
)


def text() -> str:
    """Return what the file holds: a line of YAML for each key, down to where users bring their own keys."""
    values = MLFLOW.default()
    return HEAD + yaml.safe_dump({path: pick(values, path) for path in KEYS}, width=110)


if __name__ == "__main__":
    FILE.write_text(text())
