"""The kinds of the External Secrets Operator, and fields of their objects."""

from mlflowops.kube import Json, condition

GROUP = "external-secrets.io/v1"
PLURALS = {
    "ExternalSecret": "externalsecrets",
    "SecretStore": "secretstores",
    "ClusterSecretStore": "clustersecretstores",
}


def target_secret(external: Json) -> str:
    """Return the name of the Secret that an ExternalSecret makes."""
    return str(external["spec"].get("target", {}).get("name") or external["metadata"]["name"])


def ready_condition(item: Json) -> Json:
    """Return the condition Ready of a store or an ExternalSecret."""
    return condition(item, "Ready")
