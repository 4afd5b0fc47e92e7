"""`mlflowops token` where it cannot work; tests/runtime/oidc has the server that it is for."""

import pytest
from mlflow import MlflowClient

from cli.cli import Cli
from cli.kubernetes_api import FakeApi

SECRET = "/api/v1/namespaces/ml/secrets/mlflow-token"


@pytest.mark.parametrize("words", [("create", "x"), ("list",), ("revoke", "x")], ids=" ".join)
def test_a_server_without_personal_tokens_is_named(
    cli: Cli, server: MlflowClient, words: tuple[str, ...]
) -> None:
    answer = cli("token", *words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.endswith(
        "mlflowops: token: the server has no personal tokens; use a server with auth.mode: oidc."
    )


def test_a_secret_of_another_program_is_kept(cli: Cli, server: MlflowClient, api: FakeApi) -> None:
    """It is refused before a token is made."""
    api.answers[SECRET] = {"metadata": {"name": "mlflow-token", "labels": {"team": "data"}}}
    answer = cli("token", "create", "x", "--secret", "mlflow-token")
    assert answer.code == 2
    assert answer.err.endswith(
        "mlflowops: --secret mlflow-token: is there, and this command did not write it; "
        "choose another name, or delete the Secret."
    )
    assert api.writes == []
