"""docs/messages.md is generated, and has each sentence that a user can see."""

from pathlib import Path

import pytest
from mlflowops.paths import REPO
from render.rejections import SENTENCES

from repository.messages import programs, templates
from repository.messages.message import Message
from repository.messages.page import CHART, PAGE, page

TEMPLATE = """
{{- include "mlflow.says" (dict
  "path" (printf "%s.port" .parent)
  "wrong" (printf "%q is <not> a port" $port)
  "instead" (printf "set %d%s" (int .least) (ternary " or more" "" .more))) -}}
"""
PROGRAM = """
AGAIN = "try again"
def one(name: str) -> None:
    raise OpsError(f"file {name}", "is a | pipe", AGAIN)
def two(name: str) -> None:
    wrong = f"{name} is *wrong*"
    raise TaskError(f"{wrong}; see `kubectl logs {name}`.")
def three() -> None:
    sys.exit("mlflow: schema: it stopped.")
"""


def test_the_page_is_generated() -> None:
    assert PAGE.read_text() == page(), "run `cd tests && ../.venv/bin/python -m repository.messages`"


@pytest.fixture(scope="module")
def of_chart() -> list[Message]:
    return templates.of_chart(CHART)


def test_every_refusal_of_the_tests_is_a_row(of_chart: list[Message]) -> None:
    """Each sentence of tests/render/rejections, which has a case for each rule."""
    assert len(SENTENCES) > 150
    lost = [case.says for case in SENTENCES.values() if not any(each.matches(case.says) for each in of_chart)]
    assert lost == []


def test_a_row_says_something(of_chart: list[Message]) -> None:
    pods = programs.of_pods(CHART / "files/mlflow_kubernetes")
    command = programs.of_command(REPO / "scripts/mlflowops")
    assert len(of_chart) > 150 and len(pods) > 60 and len(command) > 70
    for each in [*of_chart, *pods, *command]:
        assert each.what and each.wrong and each.instead


def test_a_new_rule_is_found() -> None:
    (found,) = templates.of_template(TEMPLATE)
    assert found == Message("*parent*.port", '"*port*" is <not> a port', "set *least* or more")
    assert found.row() == '| *parent*.port | "*port*" is &lt;not> a port | set *least* or more |'
    assert found.matches('mlflow: a.port: "x" is <not> a port; set 5 or more.')
    assert not found.matches('mlflow: a.port: "x" is a port; set 5 or more.')


def test_a_new_sentence_of_a_program_is_found(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(PROGRAM)
    (said,) = programs.of_command(tmp_path)
    assert said.row() == r"| file *name* | is a \| pipe | try again |"
    ended = programs.of_pods(tmp_path)
    assert [each.row() for each in ended] == [
        r"| every program | *name* is \*wrong\* | see `kubectl logs <name>` |",
        "| schema | it stopped | see the lines of the log before it |",
    ]
