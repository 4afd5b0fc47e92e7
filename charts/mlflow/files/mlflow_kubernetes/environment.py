"""What the programs of the chart do not take from `mlflow.envFrom`, which rendering cannot look into."""

from collections.abc import MutableMapping

OTHER_DATABASE = "it keeps a part of the data in a database that migration, backup and retention do not see"
# Each with what is wrong with it, and what to do.
REFUSED = {
    "MLFLOW_REGISTRY_STORE_URI": (OTHER_DATABASE, "remove it, all data is in backendStore"),
    "MLFLOW_WORKSPACE_STORE_URI": (OTHER_DATABASE, "remove it, all data is in backendStore"),
    "MLFLOW_ARTIFACTS_ONLY": ("it starts a server that has no runs and models", "remove it"),
}
# For clients, whose variables a ConfigMap may hold too; in a pod they would lead jobs to another server.
REMOVED = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
OFF = ("", "0", "false")
# auth.mode: kubernetes sets it: namespaces are the workspaces, and no database holds them.
NAMESPACES = ("MLFLOW_WORKSPACE_STORE_URI", "kubernetes://")


def check_environment(program: str, env: MutableMapping[str, str]) -> None:
    """Exit with a sentence if a variable splits the data of the release; remove those for clients."""
    for variable, (wrong, instead) in REFUSED.items():
        value = env.get(variable, "")
        if value.lower() not in OFF and (variable, value) != NAMESPACES:
            raise SystemExit(f"mlflow: {program}: {variable}: {wrong}; {instead}.")
    if program != "upstream":  # MLflow sets them itself for the web server that it starts
        for variable in REMOVED:
            env.pop(variable, None)
