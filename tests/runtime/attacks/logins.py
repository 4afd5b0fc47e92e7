"""A server with basic-auth whose accounts are attacked."""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests

from runtime.basic_auth import ADMIN
from runtime.server import Server

# Until server/upstream.py calls auth.harden() in each worker, `mlflow server` runs without it.
# Then this mark goes, and the same expectations hold.
LAUNCHERS = ["direct", "upstream"]
SETTINGS = {
    "MLFLOW_BACKEND_STORE_URI": "sqlite:///mlflow.db",
    "MLFLOW_KUBERNETES_APP_NAME": "basic-auth",
    "MLFLOW_AUTH_ADMIN_USERNAME": ADMIN[0],
    "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1],
    "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_urlsafe(32),
}


def add_account(server: Server, name: str, password: str) -> None:
    """Let the administrator make an account."""
    url = f"{server.url}{server.prefix}/ajax-api/2.0/mlflow/users/create"
    made = requests.post(url, json={"username": name, "password": password}, auth=ADMIN, timeout=60)
    assert made.ok, made.text


@contextmanager
def at_once(count: int, call: Callable[[int], Any]) -> Iterator[None]:
    """Call it in so many threads, each with its number, and wait for all of them at the end."""
    threads = [threading.Thread(target=call, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()
