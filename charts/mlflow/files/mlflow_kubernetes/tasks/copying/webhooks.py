"""Secrets of webhooks, which MLflow encrypts with MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY.

MLflow cannot list webhooks while one of them has a secret of another key.
"""

from collections.abc import Mapping
from typing import Any

from mlflow_kubernetes.tasks.copying.tables import read
from mlflow_kubernetes.tasks.task import TaskError

VARIABLE = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"


def adopt_secrets(into: Any, table: Any, env: Mapping[str, str], source_key: str) -> list[str]:
    """Encrypt the secrets with the release's key; return the names of webhooks whose secrets are lost.

    Args:
        into: Connection to the target.
        table: The table of webhooks.
        env: With the release's key.
        source_key: That of the source, empty if it is the release's.
    """
    lost, given = [], table.columns["secret"].is_not(None)
    for row in list(read(into, table, ["webhook_id", "name", "secret"], given)):
        secret = _encrypted(row["secret"], env.get(VARIABLE, ""), source_key)
        if secret is None:
            lost.append(row["name"])
        if secret != row["secret"]:
            wanted = table.columns["webhook_id"] == row["webhook_id"]
            into.execute(table.update().where(wanted).values(secret=secret))
    return lost


def _encrypted(secret: str, own_key: str, source_key: str) -> str | None:
    """Return a secret as the release reads it, None if no key opens it."""
    from cryptography.fernet import InvalidToken

    if not own_key:
        return None
    for key in filter(None, (own_key, source_key)):
        try:
            plain = _cipher(key).decrypt(secret.encode())
        except InvalidToken:
            continue
        return secret if key == own_key else str(_cipher(own_key).encrypt(plain).decode())
    return None


def _cipher(key: str) -> Any:
    from cryptography.fernet import Fernet

    try:
        return Fernet(key)
    except ValueError:
        wrong = "a key of webhooks is not 32 bytes in base64; correct MLFLOWOPS_SOURCE_WEBHOOK_KEY"
        raise TaskError(wrong) from None
