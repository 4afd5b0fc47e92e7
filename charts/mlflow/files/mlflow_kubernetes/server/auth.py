"""MLflow's basic-auth: its settings from the environment, and the administrator's account from a Secret.

MLflow reads its settings from an INI file. Python writes it when the server starts, so no shell or template
sees a value. No password is in it.
"""

import configparser
import hmac
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mlflow_kubernetes import command
from mlflow_kubernetes.log import logger
from mlflow_kubernetes.server import sources

# Seconds for which MLflow's own cache keeps a login, the least that is useful. guard.py has a better cache.
UPSTREAM_CACHE_SECONDS = 10
# Keys of the Secret of keys.fromSecret. A repeated pattern is refused, whatever its length.
KEYS = ("MLFLOW_FLASK_SERVER_SECRET_KEY", "MLFLOW_CRYPTO_KEK_PASSPHRASE")
KEY_LENGTH, DISTINCT, PERIOD = 32, 8, 16

_hardened = False


def enabled() -> bool:
    """Whether the server asks for an account."""
    return os.environ.get("MLFLOW_KUBERNETES_APP_NAME") == "basic-auth"


def prepare(cache_seconds: int) -> None:
    """Check the settings and write the file. Call it before MLflow is imported, which reads it at once."""
    check_keys(required=KEYS[:1])
    sources.allowed_prefixes()
    for variable in ("MLFLOW_AUTH_ADMIN_USERNAME", "MLFLOW_AUTH_ADMIN_PASSWORD"):
        value = os.environ.get(variable, "")
        # MLflow's clients send Latin-1, and its server reads UTF-8 in one place and ASCII in another.
        if not (value.isascii() and value.isprintable()):
            _refuse(variable, "holds more than printable ASCII, with which no client can log in")
        if variable.endswith("USERNAME") and ":" in value:
            _refuse(variable, "holds a colon, which ends a name in HTTP")
    if not os.environ.get("MLFLOW_AUTH_CONFIG_PATH"):
        os.environ["MLFLOW_AUTH_CONFIG_PATH"] = _write_ini(cache_seconds)


def _refuse(variable: str, wrong: str) -> None:
    sys.exit(
        f"mlflow: server: {variable}: it {wrong}; change it in the Secret of auth.basic.adminFromSecret."
    )


def _write_ini(cache_seconds: int) -> str:
    """Write MLflow's settings file, and return its path."""
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
    path = Path(tempfile.gettempdir(), "basic_auth.ini")
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        ini.write(file)
    return str(path)


def check_keys(part: str = "server", required: tuple[str, ...] = ()) -> None:
    """Exit with a message if a key can be guessed. A key that is not set is checked only if required."""
    for variable in KEYS:
        given = os.environ.get(variable, "")
        if not given and variable not in required:
            continue
        key, wrong = given.strip(), ""
        if len(key) < KEY_LENGTH:
            wrong = f"has fewer than {KEY_LENGTH} characters"
        elif len(set(key)) < DISTINCT or any(key[n:] == key[:-n] for n in range(1, PERIOD)):
            wrong = "repeats the same few characters"
        if wrong:
            sys.exit(f"mlflow: {part}: {variable}: it {wrong}; change it in the Secret of keys.fromSecret.")


def share_gateway_token() -> None:
    """Set the token by which a job acts for its user at the gateway, the same in all pods.

    Each `mlflow server` makes a random one. It opens the whole gateway, so without jobs it is removed.
    """
    name, key = "_MLFLOW_INTERNAL_GATEWAY_AUTH_TOKEN", os.environ.get("MLFLOW_FLASK_SERVER_SECRET_KEY")
    if os.environ.get("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "true").lower() not in ("true", "1"):
        os.environ.pop(name, None)
    elif key and os.environ.get("MLFLOW_SERVER_JOB_EXECUTION_ENGINE") == "executor":
        os.environ[name] = hmac.digest(key.encode(), name.encode(), "sha256").hex()


def sync_admin_password() -> None:
    """Give the administrator the Secret's password: MLflow itself reads it once, to make the account."""
    from mlflow.server.auth import auth_config, store

    name, password = auth_config.admin_username, auth_config.admin_password
    if password and not store.authenticate_user(name, password, use_primary=True):
        store.update_user(name, password=password, is_admin=True)
        logger("auth").info(f"{name} has the password of the Secret now.")


def bootstrap_in_subprocess() -> None:
    """Make the account and set its password in a process of its own: `mlflow server` has no hook for it."""
    if subprocess.run(command("administrator")).returncode:
        sys.exit("mlflow: server: the administrator's account could not be set up; the lines above say why.")


def harden() -> None:
    """Install what MLflow's basic-auth lacks: limits of logins, places of artifacts, and permissions.

    Call it once in each process: after mlflow.server.auth is imported, before its create_app(), before the
    fork, and before sync_admin_password(). Another call does nothing.
    """
    global _hardened  # noqa: PLW0603 - once in each process
    if _hardened or not enabled():
        return
    from mlflow.server import auth

    from mlflow_kubernetes.server import login, permissions

    if auth._auth_initialized:
        raise RuntimeError("auth.harden() comes too late: create_app() has run")
    login.install()
    sources.install()
    permissions.install()
    _hardened = True


def main() -> None:
    """Make the administrator's account, in a process of its own."""
    from mlflow.server.auth import bootstrap_admin_user

    bootstrap_admin_user()
    sync_admin_password()
