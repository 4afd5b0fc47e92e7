"""Keys that pods share, changed as docs/security.md says: what is kept, and what is said where it was not."""

import hmac
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.fernet import Fernet

from runtime.jobs import JOBS
from runtime.language_model import LanguageModel
from runtime.postgres import Postgres
from runtime.server import FILES, Server, environment, run
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
        "MLFLOW_FLASK_SERVER_SECRET_KEY": f"{age} key of forms and cookies, for tests",
        "MLFLOW_CRYPTO_KEK_PASSPHRASE": f"{age} passphrase of the gateway, for tests",
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
    step = run("schema", environment(tmp_path_factory.mktemp("schema"), **env))
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


WEAK = {
    "one character": "x",
    "31 characters": "0123456789abcdefghijklmnopqrstu",
    "one character repeated": "x" * 64,
    "two characters": "ab" * 32,
    "a word repeated": "changeme" * 5,
    "a pattern cut off": ("0123456789" * 4)[:33],
    "spaces": " " * 40,
    "spaces around": "short" + " " * 40,
}
FLASK, KEK = "MLFLOW_FLASK_SERVER_SECRET_KEY", "MLFLOW_CRYPTO_KEK_PASSPHRASE"


@pytest.mark.parametrize("variable", [FLASK, KEK])
@pytest.mark.parametrize("weak", WEAK.values(), ids=list(WEAK))
def test_a_key_that_can_be_guessed_stops_the_pod(home: Path, variable: str, weak: str) -> None:
    """Under both launchers: before either has begun."""
    launcher = "direct" if variable == FLASK else "upstream"
    env = {"MLFLOW_BACKEND_STORE_URI": "sqlite:///m.db", "MLFLOW_KUBERNETES_LAUNCHER": launcher}
    stopped(home, "server", variable, weak, **SETTINGS, **NEW, **env)


@pytest.mark.parametrize(
    ("program", "part"),
    [("server", "server"), ("jobs", "jobs")],
)
def test_the_passphrase_counts_without_a_login_too(home: Path, program: str, part: str) -> None:
    env = {"MLFLOW_BACKEND_STORE_URI": "sqlite:///m.db", "MLFLOW_ENABLE_AI_GATEWAY": "true"}
    stopped(home, part, KEK, "changeme", program, **env)


def test_basic_auth_needs_a_key(home: Path) -> None:
    stopped(home, "server", FLASK, "", **SETTINGS)


def stopped(home: Path, part: str, variable: str, weak: str, program: str = "server", **env: str) -> None:
    """Start it with one weak key; it must end with a sentence that does not hold the key."""
    process = run(program, environment(home, **env | {variable: weak}))
    try:
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1, output
    last = output.splitlines()[-1]
    assert last.startswith(f"mlflow: {part}: {variable}: it "), output
    assert last.endswith("; change it in the Secret of keys.fromSecret.")
    assert len(weak) < 5 or weak not in output


@pytest.mark.parametrize("jobs", [True, False])
def test_the_gateway_has_a_token_only_for_jobs(home: Path, jobs: bool) -> None:
    """Who has the key could make it, and it logs in as any account. One that came from elsewhere goes too."""
    token = "_MLFLOW_INTERNAL_GATEWAY_AUTH_TOKEN"
    code = f"import os, sys; sys.path.append({str(FILES)!r}); from mlflow_kubernetes.server import auth; "
    code += f"auth.share_gateway_token(); print(os.environ.get({token!r}))"
    env = environment(home, **NEW, **(JOBS if jobs else {}), **{token: "given"})
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    made = hmac.digest(NEW[FLASK].encode(), token.encode(), "sha256").hex()
    assert done.stdout.strip() == (made if jobs else "None")


def test_a_derived_token_opens_nothing_without_jobs(old: Server) -> None:
    token = hmac.digest(OLD[FLASK].encode(), b"_MLFLOW_INTERNAL_GATEWAY_AUTH_TOKEN", "sha256").hex()
    for path in ("/gateway/mlflow/v1/models", WEBHOOKS):
        assert requests.get(old.url + path, auth=(ADMIN[0], token), timeout=60).status_code == 401
