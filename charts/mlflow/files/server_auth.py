"""MLflow's basic-auth: its settings from the environment, and the administrator's account from a Secret.

MLflow reads its settings from an INI file. Here Python makes it when the server starts: no shell or template
ever sees a value, and no password is in it.
"""

import configparser
import hmac
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable

from say import say

# The fewest seconds that MLflow's own cache is worth; the direct launcher has a better one (`remembered`).
UPSTREAM_CACHE_SECONDS = 10


def enabled() -> bool:
    """Whether the server asks for an account."""
    return os.environ.get("MLFLOW_KUBERNETES_APP_NAME") == "basic-auth"


def prepare(cache_seconds: int) -> None:
    """Before MLflow is imported, which reads its settings at once: check the account, write the file."""
    for variable in ("MLFLOW_AUTH_ADMIN_USERNAME", "MLFLOW_AUTH_ADMIN_PASSWORD"):
        value = os.environ.get(variable, "")
        # MLflow's clients send Latin-1, and its server reads UTF-8 in one place and ASCII in another.
        if not (value.isascii() and value.isprintable()):
            _refuse(variable, "holds more than printable ASCII, with which no client can log in")
        if variable.endswith("USERNAME") and ":" in value:
            _refuse(variable, "holds a colon, which ends a name in HTTP")
    if not os.environ.get("MLFLOW_AUTH_CONFIG_PATH"):
        os.environ["MLFLOW_AUTH_CONFIG_PATH"] = _write(cache_seconds)


def _refuse(variable: str, wrong: str) -> None:
    sys.exit(
        f"mlflow: server: {variable}: it {wrong}; change it in the Secret of auth.basic.adminFromSecret."
    )


def _write(cache_seconds: int) -> str:
    """The settings as MLflow's file, whose path is returned."""
    settings = {
        # Beside the runs: one backup holds both.
        "database_uri": os.environ["MLFLOW_BACKEND_STORE_URI"],
        "default_permission": os.environ.get("MLFLOW_KUBERNETES_AUTH_PERMISSION") or "READ",
        "auth_cache_ttl_seconds": str(cache_seconds),
    }
    ini = configparser.ConfigParser(interpolation=None)
    ini["mlflow"] = {
        name: value.replace("%", "%%") for name, value in settings.items()
    }  # MLflow interpolates
    path = os.path.join(tempfile.gettempdir(), "basic_auth.ini")
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        ini.write(file)
    return path


def share_gateway_token() -> None:
    """Agree on what a job shows to the gateway to act for its user; each `mlflow server` makes up its own."""
    key = os.environ.get("MLFLOW_FLASK_SERVER_SECRET_KEY")
    if key:
        token = hmac.digest(key.encode(), b"_MLFLOW_INTERNAL_GATEWAY_AUTH_TOKEN", "sha256")
        os.environ["_MLFLOW_INTERNAL_GATEWAY_AUTH_TOKEN"] = token.hex()


def follow_secret() -> None:
    """Give the administrator the Secret's password: MLflow itself reads it once, to make the account."""
    from mlflow.server.auth import auth_config, store

    name, password = auth_config.admin_username, auth_config.admin_password
    if password and not store.authenticate_user(name, password, use_primary=True):
        store.update_user(name, password=password, is_admin=True)
        say("auth", f"{name} has the password of the Secret now.")


def harden() -> None:
    """All that this module changes in MLflow's login. After its app was made; once in a process."""
    remember_passwords()


def bootstrap_apart() -> None:
    """Make the account and let it follow the Secret in a process of its own: upstream has no place for it."""
    if subprocess.run([sys.executable, __file__]).returncode:
        sys.exit("mlflow: server: the administrator's account could not be set up; the lines above say why.")


def remember_passwords() -> None:
    """Hash each password once. Must run before the fork, and before anybody logs in."""
    from mlflow.server.auth import sqlalchemy_store

    sqlalchemy_store.check_password_hash = remembered(sqlalchemy_store.check_password_hash)


def remembered(check: Callable[[str, str], bool], size: int = 10_000) -> Callable[[str, str], bool]:
    """A check that skips the hashing (70 ms of CPU) for what was right before.

    What it knows is bound to the stored hash, which is read from the database each time: a new password, a
    removed account or a lost right counts from the next request on, in every worker of every pod.
    """
    from cachetools import LRUCache

    known: LRUCache[bytes, bool] = LRUCache(size)
    lock = threading.Lock()
    key = secrets.token_bytes(32)

    def checked(stored: str, password: str) -> bool:
        mark = hmac.digest(key, f"{stored}\0{password}".encode(), "sha256")
        with lock:
            if known.get(mark):
                return True
        right = check(stored, password)
        if right:
            with lock:
                known[mark] = True
        return right

    return checked


if __name__ == "__main__":
    from mlflow.server.auth import bootstrap_admin_user

    bootstrap_admin_user()
    follow_secret()
