"""Logins to PostgreSQL by a token: libpq's password file, and a thread that keeps the token in it fresh.

libpq reads the file at each new connection, so that MLflow, its child processes, our programs and commands of
`kubectl exec` all log in with a fresh token.
"""

import os
import signal
import threading
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlflow_kubernetes.log import logger
from mlflow_kubernetes.private_file import write_private

if TYPE_CHECKING:
    from mlflow_kubernetes.stores.cloud_tokens import TokenSource

VARIABLE = "MLFLOW_KUBERNETES_POSTGRES_LOGIN"
WILDCARDS = "*:*:*:*:"
# Seconds; of both clouds a token is valid for longer than five minutes after it was asked for.
REFRESH = 60


def keep_token_fresh(program: str, env: MutableMapping[str, str]) -> None:
    """Write the first token, and start the thread; exit with a sentence if there is none."""
    method = env.get(VARIABLE)
    if not method:
        return
    from mlflow_kubernetes.stores.cloud_tokens import NoToken, open_source

    env.pop("PGPASSWORD", None)  # of `mlflow.envFrom`; libpq would prefer it
    try:
        file = TokenFile(Path(env["PGPASSFILE"]), open_source(method, env))
        file.refresh()
    except NoToken as error:
        raise SystemExit(f"mlflow: {program}: backendStore.postgres.login: {error}.") from error
    file.start(float(env.get("MLFLOW_KUBERNETES_POSTGRES_TOKEN_SECONDS") or REFRESH))


def token_as_password(env: Mapping[str, str]) -> Mapping[str, str]:
    """The environment for a container that does not have the file: the token as PGPASSWORD."""
    if not env.get(VARIABLE):
        return env
    line = Path(env["PGPASSFILE"]).read_text()
    token = line.removeprefix(WILDCARDS).rstrip("\n").replace("\\:", ":").replace("\\\\", "\\")
    return {**{name: env[name] for name in env if name != "PGPASSFILE"}, "PGPASSWORD": token}


class TokenFile:
    """A file of libpq's form with one password for all servers."""

    def __init__(self, path: Path, source: "TokenSource") -> None:
        self.path = path
        self.source = source
        self.lock = threading.Lock()

    def refresh(self) -> None:
        """Replace the token at once for all readers; raises NoToken."""
        with self.lock:
            token = self.source.token().replace("\\", "\\\\").replace(":", "\\:")
        write_private(self.path, f"{WILDCARDS}{token}\n")

    def start(self, seconds: float) -> None:
        """Refresh it every so many seconds until the process ends."""
        # A worker is never forked while the thread is inside a library, whose locks would stay closed there.
        os.register_at_fork(
            before=self.lock.acquire, after_in_parent=self.lock.release, after_in_child=self.lock.release
        )
        thread = threading.Thread(target=self._keep, args=(seconds,), name="postgres-login", daemon=True)
        # Signals are for the main thread, which they would not wake up if this one got them.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            thread.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _keep(self, seconds: float) -> None:
        from mlflow_kubernetes.stores.cloud_tokens import NoToken

        pause = threading.Event()
        while not pause.wait(seconds):
            try:
                self.refresh()
            except NoToken as error:
                logger("login").warning(f"{error}; the last token stays until it expires.")
