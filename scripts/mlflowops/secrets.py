"""The former name of `generated_secrets`, for the test bed."""

from typing import Any

from mlflowops import generated_secrets


def ensure_namespace(core: Any, name: str) -> bool:
    """Create a namespace that enforces restricted pods; return whether it was absent."""
    return generated_secrets.ensure_namespace(core.api_client, name)
