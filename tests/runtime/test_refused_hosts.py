"""What a client reads that calls the server by a name which it does not know."""

from typing import Any

import pytest

from runtime.server import FILES


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The rules of a server that answers to one name."""
    monkeypatch.syspath_prepend(FILES)
    monkeypatch.setenv("MLFLOW_KUBERNETES_HOSTS", "mlflow,mlflow:*")
    from mlflow_kubernetes.server.rules import Rules

    return Rules()


@pytest.mark.parametrize("host", ["lb.example.com", "node-1:30080", "evil.example.com"])
def test_the_answer_names_the_key_and_not_the_host(rules: Any, host: str) -> None:
    refusal = rules.refusal("GET", "/", [(b"host", host.encode())])
    assert refusal.status == 403
    assert "does not answer to this name" in refusal.words and "mlflow.allowedHosts" in refusal.words
    assert host not in refusal.words and host in refusal.why


@pytest.mark.parametrize("host", ["10.96.0.50", "192.168.1.7:30080", "[fd00::7]:80"])
def test_an_address_needs_no_key(rules: Any, host: str) -> None:
    """Of the Service, a node or a load balancer."""
    assert rules.refusal("GET", "/", [(b"host", host.encode())]) is None
