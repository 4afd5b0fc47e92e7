"""`mlflowops secrets` where there is no cluster; tests/e2e looks at what it makes in one."""

from pathlib import Path

import pytest

from cli.cli import Cli


def test_no_cluster(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    answer = cli("secrets", "ensure", "--namespace", "ml")
    assert answer.code == 2
    assert answer.err.startswith("mlflowops: kubeconfig: ")
    assert answer.err.endswith("or make a cluster: `make up`.")
