"""Wrong values are refused: by which layer, at which key, in which words."""

import re

import pytest
from mlflowops.paths import REPO

from render.chart import MLFLOW, OTHERS, Chart, Json, Refused
from render.rejections import SCHEMA, SENTENCES

TEMPLATES = MLFLOW.folder / "templates"
BY_SCHEMA = "values don't meet the specifications of the schema(s)"


def refusal(chart: Chart, values: Json, helm: str = "helm", release: str = "mlflow") -> str:
    with pytest.raises(Refused) as refused:
        chart.render(values, helm=helm, release=release)
    return str(refused.value)


@pytest.mark.parametrize("name", SENTENCES)
def test_validation_says(chart: Chart, name: str) -> None:
    """Exactly one sentence, exactly this one."""
    case = SENTENCES[name]
    words = refusal(chart, case.values, release=case.release)
    assert BY_SCHEMA not in words
    assert re.findall("(?m)^mlflow: .*$", words) == [case.says]


@pytest.mark.parametrize("name", SCHEMA)
def test_schema_says(chart: Chart, name: str) -> None:
    case = SCHEMA[name]
    said = refusal(chart, case.values)
    assert BY_SCHEMA in said
    assert f"at '{case.schema}': " in said and case.says in said, said


def test_every_rule_of_the_templates_has_a_row() -> None:
    """A path that a template can complain about is complained about in SENTENCES."""
    text = "".join(file.read_text() for file in TEMPLATES.glob("_validate/*.tpl"))
    literal = set(re.findall(r'mlflow\.says" \(dict\s+"path" "([^"]+)"', text))
    said = {re.match("mlflow: ([^:]+):", case.says).group(1) for case in SENTENCES.values()}  # type: ignore[union-attr]
    assert len(literal) > 15
    assert literal <= said


def test_all_mistakes_are_told_at_once(chart: Chart) -> None:
    words = refusal(chart, {"replicaCount": 2, "image": {"digest": "x"}, "resources": {}})
    assert len(re.findall("(?m)^mlflow: .*; .*[.]$", words)) == 3


@pytest.mark.parametrize(
    "name", ["sqlite-replicas", "host-with-port", "bucket-url", "env-secret", "unknown-key"]
)
def test_helm_3_says_the_same(chart: Chart, name: str) -> None:
    case = SENTENCES[name]
    assert case.says in refusal(chart, case.values, helm="helm3")


def test_helm_3_has_the_same_schema(chart: Chart) -> None:
    assert BY_SCHEMA in refusal(chart, {"replicaCount": "two"}, helm="helm3")


@pytest.mark.parametrize("chart", OTHERS, ids=lambda chart: chart.folder.name)
def test_local_charts_take_no_password(chart: Chart) -> None:
    assert "additional properties 'password' not allowed" in refusal(chart, {"password": "x"})


def test_messages_never_show_this_machine(chart: Chart) -> None:
    assert str(REPO) not in refusal(chart, {"replicaCount": 2})
