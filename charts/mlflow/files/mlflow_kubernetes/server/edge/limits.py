"""The limits of a client: time, bytes, connections. Environment variables set three of them."""

import os
import resource

# Seconds from the first byte of a head to its last; between two bytes of a body, or of an answer; between two
# requests; and for a client to hang up after the last answer.
HEAD_SECONDS = float(os.environ.get("MLFLOW_KUBERNETES_HEAD_SECONDS") or 10)
BODY_SECONDS = float(os.environ.get("MLFLOW_KUBERNETES_BODY_SECONDS") or 60)
IDLE_SECONDS = 75.0
GOODBYE_SECONDS = 10.0
# The UI asks for the metrics of 100 runs in one GET.
MAX_LINE = MAX_FIELD = 65_536
MAX_HEAD = 131_072
MAX_FIELDS = 200
# Files that a worker needs beside its connections and their bodies: databases, logs.
RESERVED_FILES = 256
MAX_CONNECTIONS = 16_384


def max_body() -> int:
    """Return the most bytes of an API request's body, also of one that was compressed."""
    return int(os.environ.get("MLFLOW_KUBERNETES_MAX_BODY_MIB") or 32) << 20


def raise_file_limit() -> None:
    """Allow this process, and those that it starts, as many open files as it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def max_connections() -> int:
    """Connections that a worker may have, from its limit of open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(max(soft - RESERVED_FILES, soft // 2) // 2, MAX_CONNECTIONS)
