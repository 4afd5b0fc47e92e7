"""The kinds of External Secrets, and what one of its objects says about itself."""

from typing import Any

Json = dict[str, Any]

GROUP, VERSION = "external-secrets.io", "v1"
KINDS = {
    "ExternalSecret": "externalsecrets",
    "SecretStore": "secretstores",
    "ClusterSecretStore": "clustersecretstores",
}


def target(external: Json) -> str:
    """The Secret that an ExternalSecret makes."""
    return str(external["spec"].get("target", {}).get("name") or external["metadata"]["name"])


def ready(item: Json) -> Json:
    """What the operator says about whether a store can be used, or an ExternalSecret is fetched."""
    conditions: list[Json] = item.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == "Ready"), {})
