"""`make lint` finds what is wrong in YAML and in Go."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from mlflowops.paths import REPO

GO = 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Printf(%s)\n}\n'


@pytest.mark.parametrize(
    ("text", "finding"),
    [("a: 1\na: 2\n", "key-duplicates"), ("a: b" + " b" * 60 + "\n", "line-length"), ("a:  1\n", "colons")],
)
def test_yamllint_finds_a_planted_fault(text: str, finding: str, tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text(text)
    command = [sys.executable, "-m", "yamllint", "--strict", "-c", REPO / ".yamllint.yaml", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode and f"({finding})" in done.stdout


@pytest.mark.parametrize(
    ("source", "finding"),
    [(GO % '"%d", "one"', 'has arg "one" of wrong type'), (GO % '"a"' + "\n\n", "gofmt would change")],
)
def test_go_linters_find_a_planted_fault(source: str, finding: str, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module planted\n\ngo 1.24\n")
    (tmp_path / "main.go").write_text(source)
    given = [f"GO_FILES={tmp_path / 'main.go'}", f"GO_PACKAGES={tmp_path}"]
    done = subprocess.run(["make", "-s", "-C", REPO, "lint-go", *given], capture_output=True, text=True)
    assert done.returncode and finding in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ('"""Does this."""\n\n\ndef f() -> None:\n    return\n', "D103"),
        ("x = 1\n", "D100"),
        (
            '"""Does this."""\n\n\ndef f(a: int) -> None:\n    """Do.\n\n    Args:\n        b: B.\n    """\n',
            "D417",
        ),
    ],
)
def test_ruff_finds_an_undocumented_function_of_the_command(source: str, finding: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--stdin-filename", "scripts/mlflowops/planted.py", "-"]
    done = subprocess.run(command, cwd=REPO, input=source, capture_output=True, text=True)
    assert done.returncode and finding in done.stdout


def test_the_hooks_of_pre_commit_are_targets() -> None:
    """The same checks before a commit and before a push as in CI."""
    hooks = yaml.safe_load((REPO / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["entry"] for hook in hooks] == ["make --silent lint", "make --silent check"]
    targets = re.findall(r"(?m)^([a-z-]+):", (REPO / "Makefile").read_text())
    assert {"lint", "check"} <= set(targets)
    assert "run: make check\n" in (REPO / ".github/workflows/check.yaml").read_text()
