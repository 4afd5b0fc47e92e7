"""A missing or null key is its default, a wrong type is refused with a sentence: no error of a template."""

import json
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from released_charts import ARCHIVES
from sweep import sweep

from render.chart import MLFLOW, Chart, Refused, identity, nested
from render.defaults import FILE, KEYS, text
from render.hostile import concerns, refused
from render.test_contract import pick

# What the template engine, and not this chart, has to say.
GO = re.compile("nil pointer|wrong type|invalid value|can't evaluate|range can't iterate|error calling|<nil>")


def sections(values: Any, path: str = "") -> Iterator[str]:
    """Dotted paths of all keys that hold others."""
    for key, below in values.items():
        name = f"{path}.{key}" if path else key
        if name not in KEYS and isinstance(below, dict):
            yield name
            yield from sections(below, name)


def test_the_defaults_are_those_of_the_values() -> None:
    assert FILE.read_text() == text(), "cd tests && python -m render.defaults"


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_null_is_the_default(depth: int) -> None:
    """All keys of one depth at once, sections too."""
    keys = {path for path in [*KEYS, *sections(MLFLOW.default())] if path.count(".") + 1 == depth}
    nothing = nested(dict.fromkeys(keys))
    assert MLFLOW.render(nothing).objects == MLFLOW.render().objects
    assert MLFLOW.notes(nothing) == MLFLOW.notes()


def test_null_below_resources_removes_a_request_or_a_limit() -> None:
    resources = {"limits": None, "requests": {"cpu": None}}
    found = MLFLOW.render({"mlflow": {"resources": resources}}).container()["resources"]
    assert found == {"requests": {"memory": MLFLOW.default()["mlflow"]["resources"]["requests"]["memory"]}}


@pytest.mark.parametrize("wrong", sweep(["", "x", [1], {"x": 1}, -1, 1.5, True], 7), ids=json.dumps)
def test_a_value_of_another_type_is_refused_in_words(wrong: Any) -> None:
    """All keys take it at once, without those that a sentence has refused, until nothing is refused."""
    keys = {path for path in KEYS if type(pick(MLFLOW.default(), path)) is not type(wrong)}
    while True:
        try:
            MLFLOW.render(nested(dict.fromkeys(keys, wrong)))
            return
        except Refused as refusal:
            assert not GO.search(str(refusal)), str(refusal)
            paths = refused(str(refusal))
            assert paths, str(refusal)
            complaints = {key for key in keys if any(concerns(path, key) for path in paths)}
            assert complaints, str(refusal)
            keys -= complaints


@pytest.mark.parametrize("released", ARCHIVES, ids=lambda archive: archive.stem)
@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_values_of_a_released_chart_are_enough(helm: str, released: Path, tmp_path: Path) -> None:
    """`--reuse-values`: the computed values of the release before, and none of this chart's values.yaml."""
    with tarfile.open(released) as archive:
        old = yaml.safe_load(archive.extractfile("mlflow/values.yaml"))  # type: ignore[arg-type]
    shutil.copytree(MLFLOW.folder, tmp_path / "chart")
    (tmp_path / "chart/values.yaml").write_text("")
    found = Chart(tmp_path / "chart").render(old, helm=helm).objects
    assert [identity(each) for each in found] == [
        identity(each) for each in MLFLOW.render(old, helm=helm).objects
    ]
