"""Keys that pods share, changed as docs/security.md says: what is kept, and what is said where it was not."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.fernet import Fernet

from runtime.language_model import LanguageModel
from runtime.postgres import Postgres
from runtime.server import Server, environment, run
from runtime.test_streaming import ask, offer

ADMIN = ("admin", "the password of the administrator")
API_KEY = "sk-of-the-language-model"
WEBHOOKS = "/api/2.0/mlflow/webhooks"
SETTINGS = {
    "MLFLOW_KUBERNETES_APP_NAME": "basic-auth",
    "MLFLOW_AUTH_ADMIN_USERNAME": ADMIN[0],
    "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1],
    "MLFLOW_ENABLE_AI_GATEWAY": "true",
    "MLFLOW_GATEWAY_API_BASE_ALLOWED_SCHEMES": "http",
    "MLFLOW_GATEWAY_API_BASE_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
}
OLD, NEW = (
    {
        "MLFLOW_FLASK_SERVER_SECRET_KEY": f"{age} key of forms and cookies",
        "MLFLOW_CRYPTO_KEK_PASSPHRASE": f"{age} passphrase of the gateway",
        "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": Fernet.generate_key().decode(),
    }
    for age in ("old", "new")
)


@pytest.fixture(scope="module")
def model() -> Iterator[LanguageModel]:
    model = LanguageModel()
    yield model
    model.close()


@pytest.fixture(scope="module")
def stores(
    database: Callable[[], dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """A database with accounts, and what else is not a key."""
    env = {**database(), **SETTINGS}
    step = run("schema.py", environment(tmp_path_factory.mktemp("schema"), **env))
    output, _ = step.communicate(timeout=300)
    assert step.returncode == 0, output
    return env


@pytest.fixture(scope="module")
def old(start: Callable[..., Server], stores: dict[str, str], model: LanguageModel) -> Server:
    """A server with the old keys; a model's key and a webhook's secret are in its database."""
    server = start(**stores, **OLD).ready()
    offer(server, model, API_KEY, ADMIN)
    made = call(
        server, "POST", WEBHOOKS, name="ci", url="https://127.0.0.1:9/", secret="of the webhook",
        events=[{"entity": "MODEL_VERSION", "action": "CREATED"}],
    )  # fmt: skip
    assert made.ok, made.text
    return server


def call(server: Server, method: str, path: str, **body: Any) -> requests.Response:
    return requests.request(method, server.url + path, json=body or None, auth=ADMIN, timeout=60)


def answer(server: Server, model: LanguageModel) -> tuple[int, str, str]:
    """What the gateway answers, and with which key the model was asked."""
    model.forget()
    model.words.put("word")
    model.words.put(None)
    with ask(server, ADMIN) as found:
        return found.status_code, found.text, model.key


@pytest.fixture(scope="module")
def changed(start: Callable[..., Server], stores: dict[str, str], old: Server) -> Server:
    """A server with the new keys, as if a changed Secret were all there is to it."""
    return start(**stores, **NEW).ready()


def test_a_gateway_key_is_there_after_the_rotation(
    start: Callable[..., Server], stores: dict[str, str], old: Server, changed: Server,
    model: LanguageModel, home: Path,
) -> None:  # fmt: skip
    assert answer(old, model)[::2] == (200, API_KEY)
    status, text, shown = answer(changed, model)
    assert (status, shown) == (400, "") and "Failed to decrypt secret. Check KEK passphrase" in text
    typed = f"{NEW['MLFLOW_CRYPTO_KEK_PASSPHRASE']}\n" * 2 + "y\n"
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", "crypto", "rotate-kek"], env=environment(home, **stores, **OLD),
        cwd=home, input=typed, text=True, capture_output=True, start_new_session=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0 and "Successfully rotated 1 encryption key" in done.stdout, done.stderr
    assert answer(changed, model)[::2] == (400, ""), "the version is part of the key"
    rotated = start(**stores, **NEW, MLFLOW_CRYPTO_KEK_VERSION="2").ready()
    assert answer(rotated, model)[::2] == (200, API_KEY)


def test_a_webhook_of_another_key_is_in_the_way_until_its_secret_is_gone(
    changed: Server, stores: dict[str, str], postgres: Postgres
) -> None:
    ((hook,),) = postgres.query("SELECT webhook_id FROM webhooks", stores["PGDATABASE"])
    assert call(changed, "GET", WEBHOOKS).status_code == 500
    assert call(changed, "PATCH", f"{WEBHOOKS}/{hook}", secret="a new one").status_code == 500
    assert call(changed, "DELETE", f"{WEBHOOKS}/{hook}").status_code == 500
    postgres.query("UPDATE webhooks SET secret = NULL", stores["PGDATABASE"])
    assert call(changed, "PATCH", f"{WEBHOOKS}/{hook}", secret="a new one").ok
    assert [each["name"] for each in call(changed, "GET", WEBHOOKS).json()["webhooks"]] == ["ci"]


def test_a_form_of_another_key_is_lost_and_no_account(old: Server, changed: Server) -> None:
    with requests.Session() as browser:
        browser.auth = ADMIN
        form = browser.get(f"{old.url}/signup", timeout=60).text
        token = form.split('name="csrf_token" value="')[1].split('"')[0]
        new = {"username": "anna", "password": "a long password", "csrf_token": token}
        sent = [
            browser.post(f"{server.url}/api/2.0/mlflow/users/create-ui", data=new, timeout=60).status_code
            for server in (changed, old)
        ]
    assert sent == [400, 200]
    for server in (old, changed):
        shown = requests.get(
            f"{server.url}/api/2.0/mlflow/users/current", auth=("anna", new["password"]), timeout=60
        )
        assert shown.status_code == 200, shown.text
