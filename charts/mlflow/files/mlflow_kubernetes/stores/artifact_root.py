"""Where the artifacts of the server are."""

from collections.abc import Mapping


def artifact_root(env: Mapping[str, str]) -> str:
    """Return their address, to which the server writes, or, in mode `direct`, its clients."""
    return env.get("MLFLOW_ARTIFACTS_DESTINATION") or env.get("MLFLOW_DEFAULT_ARTIFACT_ROOT") or ""
