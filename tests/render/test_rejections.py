"""Wrong values are refused: at which key, in which words."""

import json
import re
import subprocess

import pytest
from mlflowops.paths import REPO
from sweep import sweep

from render.chart import KEYS, MLFLOW, OTHERS, Chart, Json, Refused, postgres, s3
from render.rejections import SENTENCES
from testbed import tools

TEMPLATES = MLFLOW.folder / "templates"
BY_SCHEMA = "values don't meet the specifications of the schema(s)"


def refusal(chart: Chart, values: Json, helm: str = "helm", release: str = "mlflow") -> str:
    with pytest.raises(Refused) as refused:
        chart.render(values, helm=helm, release=release)
    return str(refused.value)


@pytest.mark.parametrize("name", sweep(SENTENCES, 10))
def test_validation_says(chart: Chart, name: str) -> None:
    """Exactly one sentence, exactly this one."""
    case = SENTENCES[name]
    words = refusal(chart, case.values, release=case.release)
    assert BY_SCHEMA not in words
    assert re.findall("(?m)^mlflow: .*$", words) == [case.says]


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


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_a_wrong_type_hides_no_other_sentence(chart: Chart, helm: str) -> None:
    """No rule complains about the default that stands in for a wrong value."""
    values = {"replicaCount": "two", "resources": {}, "image": {"digest": "x"}, **postgres(host=5)}
    words = refusal(chart, values, helm=helm)
    assert re.findall("(?m)^mlflow: ([^:]*):", words) == [
        "resources", "backendStore.postgres.host", "replicaCount", "image.digest",
    ]  # fmt: skip


def test_a_wrong_switch_is_told_without_its_consequences(chart: Chart) -> None:
    values = {"replicaCount": 2, **postgres(enabled="yes"), **s3(), **KEYS}
    words = refusal(chart, values)
    assert re.findall("(?m)^mlflow: ([^:]*):", words) == ["backendStore.postgres.enabled"]


@pytest.mark.parametrize("values", [{"replicaCount": "two"}, {"replicaCount": 2}], ids=json.dumps)
def test_lint_refuses_too(chart: Chart, values: Json) -> None:
    """`helm lint` only warns of what templates refuse by `fail`."""
    command = [tools.ensure("helm"), "lint", chart.folder, "--values", "-"]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True)
    assert done.returncode and "mlflow: replicaCount: " in done.stdout


@pytest.mark.parametrize("chart", OTHERS, ids=lambda chart: chart.folder.name)
def test_local_charts_take_no_password(chart: Chart) -> None:
    assert "additional properties 'password' not allowed" in refusal(chart, {"password": "x"})


def test_messages_never_show_this_machine(chart: Chart) -> None:
    assert str(REPO) not in refusal(chart, {"replicaCount": 2})
