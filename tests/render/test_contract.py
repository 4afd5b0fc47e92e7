"""The values are an API: same keys in values.yaml and schema, each documented, each with an effect."""

import contextlib
import copy
import functools
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml
from sweep import sweep

from render import checked
from render.chart import CASES, MLFLOW, Chart, Json, Refused

# Any other value than the default is refused: nothing to see in a rendering (test_rejections).
WITHOUT_EFFECT = {
    "backendStore.postgres.poolPrePing",
    "enabled",
    "livenessProbe.successThreshold",
    "startupProbe.successThreshold",
}
# Objects whose keys are all optional, and none is in values.yaml.
EMPTY = {"strategy"}


def resolve(node: Any, root: Json) -> Any:
    """The schema behind a local $ref."""
    if isinstance(node, dict) and "$ref" in node:
        return root["definitions"][node["$ref"].removeprefix("#/definitions/")]
    return node


def schema_leaves(node: Any, root: Json, path: str = "") -> Iterator[str]:
    """Dotted paths of the schema: down to where an object has no keys of its own, or is empty by default."""
    node = resolve(node, root)
    if "properties" not in node or (path and node.get("type") == "array") or path in EMPTY:
        yield path
        return
    for key, below in node["properties"].items():
        if path or key != "global" or "properties" in below:
            yield from schema_leaves(below, root, f"{path}.{key}" if path else key)


def pick(values: Any, path: str) -> Any:
    """The value at a dotted path; KeyError if it is not there."""
    return functools.reduce(lambda node, key: node[key], path.split("."), values)


def without(values: Json, path: str) -> Json:
    changed = copy.deepcopy(values)
    *parents, last = path.split(".")
    del (pick(changed, ".".join(parents)) if parents else changed)[last]
    return changed


def value_leaves(values: Any, schema: Json) -> list[str]:
    """Dotted paths of values.yaml, down to where the schema stops."""
    leaves = set(schema_leaves(schema, schema))

    def walk(node: Any, path: str) -> Iterator[str]:
        if path in leaves or not isinstance(node, dict):
            yield path
            return
        for key, below in node.items():
            yield from walk(below, f"{path}.{key}" if path else key)

    return list(walk(values, ""))


LEAVES = value_leaves(MLFLOW.default(), MLFLOW.schema())


def test_values_and_schema_have_the_same_keys(any_chart: Chart) -> None:
    schema = any_chart.schema()
    assert sorted(value_leaves(any_chart.default(), schema)) == sorted(schema_leaves(schema, schema))


def test_schema_is_strict_and_local(any_chart: Chart) -> None:
    """Draft 7; no key passes unseen; prose and defaults live in values.yaml; nothing is fetched.

    Keys that the schema of MLflow's chart does not name are refused by a template (test_peers.py).
    """
    schema = any_chart.schema()
    jsonschema.Draft7Validator.check_schema(schema)
    text = json.dumps(schema)
    assert set(re.findall(r'"\$ref": "([^"]*)"', text)) <= {
        f"#/definitions/{name}" for name in schema.get("definitions", {})
    }
    for node in _objects(schema):
        assert not {"description", "default"} & set(node)
        assert any_chart is not MLFLOW or node.get("additionalProperties") is not False, node
        closed = node.get("type") == "object" and "properties" in node and "required" not in node
        if closed and any_chart is not MLFLOW:
            assert node["additionalProperties"] is False, node


def test_helm_leaves_values_to_the_templates(chart: Chart) -> None:
    """Values with the chart's defaults meet the file; editors check those of a user alone."""
    validator = jsonschema.Draft7Validator(json.loads((chart.folder / "values.schema.json").read_text()))
    wrong = {"replicaCount": "two"}
    assert len(list(validator.iter_errors(wrong))) == 1
    assert not list(validator.iter_errors(chart.default() | wrong))


def test_the_templates_have_the_same_schema() -> None:
    words = "cd tests && ../.venv/bin/python -m render.checked > ../charts/mlflow/validation/schema.json"
    assert checked.FILE.read_text() == checked.text(), words


def test_every_form_has_a_name_and_an_example(chart: Chart) -> None:
    """Sentences show them: "ten" is not a size; set for example 10Gi."""
    forms = list(_forms(chart.schema()))
    assert len(forms) > 20
    for form in forms:
        assert "title" in form and all(re.search(form["pattern"], each) for each in form["examples"]), form


def _forms(node: Any) -> Iterator[Json]:
    if isinstance(node, list):
        for each in node:
            yield from _forms(each)
    elif isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node
        yield from _forms(list(node.values()))


def _objects(schema: Json) -> Iterator[Json]:
    yield schema
    for below in [*schema.get("properties", {}).values(), *schema.get("definitions", {}).values()]:
        yield from _objects(below)


def test_default_values_meet_the_schema(any_chart: Chart) -> None:
    jsonschema.Draft7Validator(any_chart.schema()).validate(any_chart.default())


def documentation(chart: Chart) -> dict[str, list[str]]:
    """The comment lines right above each key of values.yaml, by dotted path."""
    text = (chart.folder / "values.yaml").read_text()
    lines = text.splitlines()
    found: dict[str, list[str]] = {}

    def walk(node: yaml.Node | None, path: str) -> None:
        for key, below in node.value if isinstance(node, yaml.MappingNode) else []:
            name = f"{path}.{key.value}" if path else key.value
            above = key.start_mark.line
            while above and lines[above - 1].strip().startswith("#"):
                above -= 1
            found[name] = [line.strip() for line in lines[above : key.start_mark.line]]
            walk(below, name)

    walk(yaml.compose(text), "")
    return found


def test_every_key_is_documented(any_chart: Chart) -> None:
    """Each leaf by one `# --` sentence that stands alone."""
    documented = documentation(any_chart)
    for leaf in value_leaves(any_chart.default(), any_chart.schema()):
        comment = documented[leaf]
        assert comment and comment[0].startswith("# -- "), leaf
        assert comment[-1].endswith("."), leaf


def test_no_commented_out_values(any_chart: Chart) -> None:
    text = (any_chart.folder / "values.yaml").read_text()
    assert not re.findall(r"(?m)^\s*#\s*(?:- )?[A-Za-z][\w.]*:(?:\s.*)?$", text)


@functools.cache
def _cases() -> list[Json]:
    """The values of each case, which no test changes."""
    return [yaml.safe_load(file.read_text()) for file in CASES]


def _setting_case(path: str) -> Json | None:
    """The values of the first case that sets the key away from its default."""
    default = pick(MLFLOW.default(), path)
    for values in _cases():
        try:
            if pick(values, path) != default:
                return values
        except (KeyError, TypeError):
            continue
    return None


@pytest.mark.parametrize("path", sweep([leaf for leaf in LEAVES if leaf not in WITHOUT_EFFECT], 20))
def test_every_key_has_an_effect(chart: Chart, path: str) -> None:
    """Some example of ci/ sets it, and without it the example renders differently, or not at all."""
    values = _setting_case(path)
    assert values is not None, f"no file of ci/ sets {path}"
    text = chart.render(values).text
    with contextlib.suppress(Refused):
        assert chart.render(without(values, path)).text != text


def test_every_example_says_what_it_shows() -> None:
    for case in CASES:
        assert case.read_text().startswith("# "), case
