"""A user with a browser's cookies, who logs in at the provider; and programs with tokens."""

import html
import re
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol
from urllib.parse import urljoin

import requests
from mlflow import MlflowClient

from runtime.oidc.provider import PASSWORD

SECONDS = 120
PAGE = {"Accept": "text/html", "Sec-Fetch-Dest": "document"}


class Address(Protocol):
    """A server at `url`."""

    @property
    def url(self) -> str:
        """Without a slash at its end."""


def browser() -> requests.Session:
    """A user without a session."""
    session = requests.Session()
    session.trust_env = False
    return session


def log_in(session: requests.Session, server: Address, name: str) -> requests.Response:
    """Open MLflow's page, fill the form that the provider shows instead, and follow to where that leads."""
    form = session.get(f"{server.url}/", headers=PAGE, timeout=SECONDS)
    found = re.search(r'<form method="post" action="([^"]+)"', form.text)
    assert found, (form.url, form.text)
    filled = {"login": name, "password": PASSWORD}
    return session.post(
        urljoin(form.url, html.unescape(found[1])), data=filled, headers=PAGE, timeout=SECONDS
    )


def call(
    session: requests.Session, server: Address, method: str, path: str, **body: Any
) -> requests.Response:
    """One call of MLflow's API."""
    return session.request(method, f"{server.url}/api/2.0/mlflow/{path}", timeout=SECONDS, **body)


def make_token(session: requests.Session, server: Address, name: str, lifetime: timedelta) -> dict[str, Any]:
    """A personal token, as the plugin's page makes it: its `id` and the `token`."""
    expires = (datetime.now(timezone.utc) + lifetime).isoformat()
    answer = call(session, server, "POST", "users/current/tokens", json={"name": name, "expiration": expires})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def client(monkeypatch: Any, server: Address, name: str, token: str) -> MlflowClient:
    """MLflow's own client with a personal token, without repeated tries."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", token)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return MlflowClient(server.url)
