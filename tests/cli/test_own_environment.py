"""Tests see an environment of their own; .ci/run sets odd values on purpose, which a shell may have."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from mlflowops.paths import REPO
from own_environment import hide_tools, replace_shell
from requests.utils import should_bypass_proxies


def odd_values() -> dict[str, str]:
    lines = [line for line in (REPO / ".ci/run").read_text().splitlines() if line.startswith("export ")]
    values = dict(re.findall(r"(\w+)=(\S+)", " ".join(lines)))
    assert values.pop("CI") == "true", "tests/conftest.py lets a skip fail by it"
    return values


def test_nothing_of_the_shell_is_left() -> None:
    odd = odd_values()
    assert len(odd) > 10
    environ = {"PATH": "/bin", "CI": "true", "PIP_INDEX_URL": "https://index.example", **odd}
    environ["MLFLOW_ATTACKS_MUTATIONS"] = "100000"
    replace_shell(environ)
    assert environ["MLFLOW_ATTACKS_MUTATIONS"] == "100000"
    assert not [name for name in odd if environ.get(name) == odd[name]]
    assert environ["CI"] == "true"
    assert environ["PIP_INDEX_URL"] == "https://index.example"
    assert not Path(environ["KUBECONFIG"]).exists()


def test_this_process_has_such_an_environment() -> None:
    assert not [name for name, value in odd_values().items() if os.environ.get(name) == value]
    assert not Path(os.environ["KUBECONFIG"]).exists()


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_a_proxy_is_for_others_only(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"HTTP_PROXY": "http://proxy.example:3128", variable: "internal.example"}
    replace_shell(environ)
    assert environ["HTTP_PROXY"] == "http://proxy.example:3128"
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, environ[name])
    for url in ("http://127.0.0.1:5000", "http://localhost:5000", "https://10.180.0.11:6443"):
        assert should_bypass_proxies(url, None)
    assert should_bypass_proxies("https://internal.example", None)
    assert not should_bypass_proxies("https://registry.example", None)


def test_a_pinned_program_on_the_shells_path_is_hidden(tmp_path: Path) -> None:
    for folder in ("shell", "tests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "shell/kubectl").write_text("#!/bin/sh\n")
    (tmp_path / "shell/kubectl").chmod(0o755)
    environ = {"PATH": str(tmp_path / "shell")}
    hide_tools(environ, tmp_path / "tests")
    assert shutil.which("kubectl", path=environ["PATH"]) == str(tmp_path / "tests/kubectl")
    assert subprocess.run([tmp_path / "tests/kubectl"], capture_output=True).returncode == 97


def test_pinned_programs_are_hidden_here() -> None:
    for name in ("helm", "helmfile", "kubectl"):
        assert subprocess.run([name], capture_output=True).returncode == 97
