"""Finds the container engine of this machine: docker or podman."""

from functools import cache

from mlflowops import shell
from mlflowops.errors import OpsError


@cache
def running() -> str | None:
    """The container engine of this machine. A client alone is none: the engine itself is asked."""
    for engine in ("docker", "podman"):
        try:
            if shell.run([engine, "info"], check=False).returncode == 0:
                return engine
        except OpsError:
            continue
    return None
