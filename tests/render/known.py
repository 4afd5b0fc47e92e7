"""The keys that values may have, as a tree for the templates.

A template finds the keys that values.schema.json does not name.
`cd tests && ../.venv/bin/python -m render.known > ../charts/mlflow/validation/known.yaml` writes the file.
"""

from typing import Any

import yaml
from mlflowops.paths import REPO

from render.chart import MLFLOW, Json

FILE = REPO / "charts/mlflow/validation/known.yaml"
HEADER = (
    "# The keys of values.schema.json, written by tests/render/known.py. Below `any` each key is accepted.\n"
)


def tree(node: Json, root: Json) -> Any:
    """The keys below a node of the schema, `any` where the schema names none."""
    if "$ref" in node:
        node = root["definitions"][node["$ref"].removeprefix("#/definitions/")]
    if "items" in node:
        below = tree(node["items"], root)
        return "any" if below == "any" else {"[]": below}
    more = node.get("additionalProperties", "properties" not in node)
    if isinstance(more, dict):
        below = tree(more, root)
        return "any" if below == "any" else {"*": below}
    return "any" if more else {key: tree(each, root) for key, each in sorted(node["properties"].items())}


def text() -> str:
    """What known.yaml has to hold."""
    schema = MLFLOW.schema()
    return HEADER + yaml.safe_dump(tree(schema, schema), sort_keys=True, width=1000)


if __name__ == "__main__":
    print(text(), end="")
