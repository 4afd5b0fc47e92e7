"""Variables of the server: those that are keys here go there, others stay variables."""

import re
from typing import Any

from mlflowops.migrate_values.old_values import Source
from mlflowops.migrate_values.result import Result
from mlflowops.migrate_values.tables import is_leaf, table

# Variables that come from a Secret, and the key that takes the name of the Secret's key.
FROM_SECRET = {
    "AWS_ACCESS_KEY_ID": ("artifactStore.s3.credentialsFromSecret", "accessKeyIdKey"),
    "AWS_SECRET_ACCESS_KEY": ("artifactStore.s3.credentialsFromSecret", "secretAccessKeyKey"),
    "AZURE_STORAGE_ACCESS_KEY": ("artifactStore.azure.credentialsFromSecret", "key"),
}
SECRET = re.compile("PASSWORD|SECRET|TOKEN|PASSPHRASE|ACCESS_KEY|API_KEY|CREDENTIAL", re.IGNORECASE)
LOGIN = re.compile("://[^/@]*:[^/@]*@")
# Old keys with variables.
PLACES = ("env", "extraEnvVars", "tracking.extraEnvVars")


def variables(source: Source, result: Result) -> None:
    """Take the variables of all charts: a list like `env` of a container, or names with values."""
    for place in PLACES:
        given = source.take(place) or []
        entries = given if isinstance(given, list) else [{"name": k, "value": v} for k, v in given.items()]
        for entry in entries:
            _variable(f"{place}.{entry['name']}", entry, result)
    for name in source.take("extraSecretNamesForEnvFrom") or []:
        _env_from({"secretRef": {"name": name}}, result)
    for path, kind in (
        ("tracking.extraEnvVarsCM", "configMapRef"),
        ("tracking.extraEnvVarsSecret", "secretRef"),
    ):
        if name := source.take(path):
            _env_from({kind: {"name": name}}, result)


def _variable(path: str, entry: dict[str, Any], result: Result) -> None:
    name = str(entry["name"])
    reference = (entry.get("valueFrom") or {}).get("secretKeyRef")
    owner = str(table("env-owned").get(name, ""))
    if reference and name in FROM_SECRET:
        place, key = FROM_SECRET[name]
        result.set(f"{place}.name", reference["name"])
        result.set(f"{place}.{key}", reference["key"])
    elif entry.get("valueFrom") or SECRET.search(name) or LOGIN.search(str(entry.get("value"))):
        result.left[path] = (
            f"set {owner}" if owner else f"put it into a Secret under {name}, for mlflow.envFrom"
        )
    elif owner and is_leaf(owner):
        result.set(owner, _typed(owner, str(entry.get("value"))))
    elif owner or _refused(name):
        result.left[path] = f"set {owner}" if owner else _refused(name)
    else:
        value = entry.get("value")
        result.values.setdefault("mlflow", {}).setdefault("env", {})[name] = (
            str(value).lower() if isinstance(value, bool) else str(value)
        )


def _typed(owner: str, value: str) -> Any:
    if owner in ("mlflow.allowedHosts", "mlflow.corsAllowedOrigins"):
        return value.split(",")
    return int(value) if value.isdigit() else value


def _refused(name: str) -> str:
    for rule in table("env-refused"):
        if re.fullmatch("|".join(rule["names"]), name):
            return str(rule["instead"])
    return ""


def _env_from(entry: dict[str, Any], result: Result) -> None:
    result.values.setdefault("mlflow", {}).setdefault("envFrom", []).append(entry)
