"""Server-sent events through the gateway: from a model server of our own, word by word."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from runtime.compare import Pair
from runtime.language_model import LanguageModel
from runtime.server import Server


@pytest.fixture(scope="module")
def model(pair: Pair) -> Iterator[LanguageModel]:
    """A model that the gateway of both servers offers as `chat`."""
    model = LanguageModel()
    for server in (pair.upstream, pair.direct):
        offer(server, model)
    yield model
    model.close()


def offer(
    server: Server, model: LanguageModel, key: str = "none", who: tuple[str, str] | None = None
) -> None:
    """Make the gateway's secret, model and endpoint."""

    def create(what: str, **body: Any) -> Any:
        url = f"{server.url}/api/3.0/mlflow/gateway/{what}/create"
        answer = requests.post(url, json=body, auth=who, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    secret = create(
        "secrets",
        secret_name="key",
        secret_value={"api_key": key},
        provider="openai",
        auth_config={"api_base": model.url},
    )["secret"]["secret_id"]
    definition = create(
        "model-definitions", name="model", secret_id=secret, provider="openai", model_name="model"
    )["model_definition"]["model_definition_id"]
    linked = {"model_definition_id": definition, "linkage_type": "PRIMARY", "weight": 1}
    create("endpoints", name="chat", model_configs=[linked], usage_tracking=False)


def ask(server: Server, who: tuple[str, str] | None = None) -> requests.Response:
    question = {"model": "chat", "stream": True, "messages": [{"role": "user", "content": "?"}]}
    url = f"{server.url}/gateway/mlflow/v1/chat/completions"
    return requests.post(url, json=question, auth=who, stream=True, timeout=60)


@pytest.mark.parametrize("launcher", ["upstream", "direct"])
def test_words_arrive_as_they_are_said(pair: Pair, model: LanguageModel, launcher: str) -> None:
    model.forget()
    model.words.put("word 0")
    with ask(getattr(pair, launcher)) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        heard = 0
        for line in answer.iter_lines():
            if b"content" in line:
                # The next word is said only now: it would never come if the server collected the answer.
                assert f'"word {heard}"'.encode() in line
                heard += 1
                model.words.put(f"word {heard}" if heard < 5 else None)
    assert heard == 5


@pytest.mark.parametrize("launcher", ["upstream", "direct"])
def test_a_reader_who_leaves_ends_the_answer(pair: Pair, model: LanguageModel, launcher: str) -> None:
    model.forget()
    model.words.put("word")
    with ask(getattr(pair, launcher)) as answer:
        next(answer.iter_lines())
    for _ in range(200):
        if model.client_left.is_set():
            break
        model.words.put("word")
        model.client_left.wait(0.1)
    assert model.client_left.is_set(), "the server reads on without a client, without end"
