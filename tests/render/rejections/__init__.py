"""Wrong values, and what their authors are told: a YAML file per area, in it a case per rule.

name-of-the-case:
  given: [postgres, s3]  # what is right and has to be there: names of GIVEN (optional)
  values: {}             # what is wrong (optional)
  release: 1st           # the name of the release (optional)
  says: the whole sentence
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from render.chart import (
    KEYS,
    Json,
    UniqueKeys,
    azure,
    gcs,
    kubernetes_auth,
    oidc,
    postgres,
    s3,
    user_header,
)

GIVEN: dict[str, Json] = {
    "postgres": postgres(),
    "mysql": {"backendStore": {"uriFromSecret": {"enabled": True, "name": "mysql"}}},
    "s3": s3(),
    "azure": azure(),
    "gcs": gcs(),
    "keys": KEYS,
    "oidc": oidc(),
    "kubernetes": kubernetes_auth(),
    "header": user_header(),
}


@dataclass(frozen=True)
class Case:
    """See the module's text."""

    says: str
    values: Json = field(default_factory=dict)
    release: str = "mlflow"


def _merged(below: Any, above: Any) -> Any:
    """Mappings are joined key by key; of anything else the one above counts."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: _merged(below.get(key), value) for key, value in above.items()}


def _case(given: list[str] | None = None, values: Json | None = None, **more: Any) -> Case:
    merged: Json = {}
    for each in [*(GIVEN[name] for name in given or []), values or {}]:
        merged = _merged(merged, each)
    return Case(values=merged, **more)


def _read() -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for file in sorted(Path(__file__).parent.glob("*.yaml")):
        content = yaml.load(file.read_text(), UniqueKeys)  # noqa: S506 (a safe loader)
        read = {name: _case(**fields) for name, fields in content.items()}
        assert not cases.keys() & read.keys(), f"{file.name} has names that another file has"
        cases |= read
    return cases


SENTENCES = _read()
