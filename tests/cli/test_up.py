"""`testbed up` and `down` where they cannot do anything; tests/e2e runs them for real."""

import json
import time
from pathlib import Path

import pytest
from runtime.network import free_port

from cli.cli import Cli
from testbed import images


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that is switched off."""
    config = {
        "clusters": [{"name": "off", "cluster": {"server": f"https://127.0.0.1:{free_port()}"}}],
        "contexts": [{"name": "off", "context": {"cluster": "off", "user": "me"}}],
        "users": [{"name": "me", "user": {}}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))


@pytest.mark.parametrize(
    ("context", "wrong"), [("off", "the Kubernetes API does not answer"), ("nonsense", "nonsense")]
)
def test_a_context_is_asked_before_anything_is_built(
    testbed: Cli, kubeconfig: None, monkeypatch: pytest.MonkeyPatch, context: str, wrong: str
) -> None:
    monkeypatch.setattr(images, "build", lambda: pytest.fail("builds for a cluster that is not there"))
    answer = testbed("up", "--context", context)
    assert answer.code == 2
    assert answer.err.startswith(f"testbed: context '{context}': ")
    assert wrong in answer.err


def test_down_without_a_cluster_is_no_error(testbed: Cli) -> None:
    answer = testbed("down", "--name", f"absent-{time.time_ns()}")
    assert answer.code == 0
    assert "There is no cluster absent-" in answer.err
