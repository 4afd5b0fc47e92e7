"""The login, and the keys that it and several pods need."""

from mlflowops.migrate_values.old_values import Source
from mlflowops.migrate_values.result import Result

KEYS = {
    "flask-secret-key": "$(openssl rand -hex 32)",
    "kek-passphrase": "$(openssl rand -hex 32)",
    "webhook-key": "$(openssl rand -base64 32 | tr +/ -_)",
}


def official(source: Source, result: Result) -> None:
    """MLflow's own chart starts the basic-auth application by an option."""
    if source.take("server.value_options.app_name") == "basic-auth":
        basic(result, given=False)


def community(source: Source, result: Result) -> None:
    """The community's chart has accounts where `auth.enabled` says so."""
    given = source.has("auth.existingAdminSecret.name")
    source.take("auth.adminUsername")
    source.take("auth.adminPassword")
    if source.take("auth.enabled"):
        basic(result, given=given)


def bitnami(source: Source, result: Result) -> None:
    """Bitnami's chart asks for a login unless told otherwise."""
    enabled = source.take("tracking.auth.enabled", True)
    secret = source.take("tracking.auth.existingSecret")
    names = {"name": secret}
    names["usernameKey"] = source.take("tracking.auth.existingSecretUserKey")
    names["passwordKey"] = source.take("tracking.auth.existingSecretPasswordKey")
    source.take("tracking.auth.username")
    source.take("tracking.auth.password")
    if not enabled:
        return
    for key, value in names.items():
        if secret and value:
            result.set(f"auth.basic.adminFromSecret.{key}", value)
    basic(result, given=bool(secret))


def keys(result: Result) -> None:
    """Ask for the Secret that several pods share, and that a login needs."""
    several = result.get("autoscaling.enabled") or int(result.get("replicaCount") or 1) > 1
    if several or result.get("auth.mode"):
        result.set("keys.fromSecret.enabled", True)
        for key, value in KEYS.items():
            result.secret("mlflow-keys-secret", key, value)


def basic(result: Result, given: bool) -> None:
    """Require a login; unless its Secret is given, ask for one with the administrator."""
    result.set("auth.mode", "basic")
    if not given:
        result.secret("mlflow-admin-secret", "username", "<name>")
        result.secret("mlflow-admin-secret", "password", "<12 or more characters>")
