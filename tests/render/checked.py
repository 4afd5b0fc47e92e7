"""The schema of the values for the templates, which check it; Helm gives them no values.schema.json.

`cd tests && ../.venv/bin/python -m render.checked > ../charts/mlflow/validation/schema.json` writes the file.
"""

import json

from render.chart import MLFLOW

FILE = MLFLOW.folder / "validation/schema.json"
COMMENT = "What values.schema.json says about values, written by tests/render/checked.py."


def text() -> str:
    """What schema.json has to hold."""
    schema = MLFLOW.schema()
    kept = {key: schema[key] for key in ("type", "properties", "definitions")}
    return json.dumps({"$comment": COMMENT, **kept}, indent=1) + "\n"


if __name__ == "__main__":
    print(text(), end="")
