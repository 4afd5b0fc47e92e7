"""The environment of every test. What the shell says about clusters, servers and accounts does not count.

HOME, proxies and the variables of package managers stay: they lead pip, npm and Go to registries and caches.
No proxy is used for this machine, and the files that our programs would read in HOME are named elsewhere.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path

import tomllib
from mlflowops.paths import REPO

# They name a user's cluster, server, database or account, or change what a program prints or makes.
PREFIXES = (
    "MLFLOW_",
    "AWS_",
    "AZURE_",
    "GOOGLE_",
    "DATABRICKS_",
    "HELM_",
    "HELMFILE_",
    "KUBE",
    "OTEL_",
    "PG",
)
NAMES = ("MLFLOWOPS_CLUSTER", "MLFLOWOPS_KUBERNETES", "CONTEXT", "PLATFORM", "MAKEFLAGS", "MAKEOVERRIDES")

# `make nightly`, `make faults` and `make upgrades` set them; no program reads them.
KEPT = ("MLFLOW_ATTACKS_MUTATIONS", "MLFLOW_FAULTS_RECORD")

NOWHERE = "/nowhere"
NEAR = "localhost,127.0.0.1,::1,10.176.0.0/12"
"""Loopback, and the addresses of clusters that tests make."""


def replace_shell(environ: MutableMapping[str, str]) -> None:
    """Remove what a shell may have set; name absent files where a program would look in HOME."""
    for name in [name for name in environ if name.startswith(PREFIXES) or name in NAMES]:
        if name not in KEPT:
            del environ[name]
    # Before anything imports MLflow: a thread of its telemetry changes the environment while others read it.
    environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    for name in ("KUBECONFIG", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        environ[name] = f"{NOWHERE}/file"
    for name in ("HELM_CONFIG_HOME", "HELM_DATA_HOME"):
        environ[name] = f"{NOWHERE}/helm"
    direct = environ.get("no_proxy") or environ.get("NO_PROXY")
    environ["NO_PROXY"] = environ["no_proxy"] = ",".join(filter(None, (NEAR, direct)))


def hide_tools(environ: MutableMapping[str, str], folder: Path) -> None:
    """Put a program that fails first on PATH for each pinned binary: the shell may have any."""
    groups = tomllib.loads((REPO / "testbed/tools.toml").read_text())
    entries = [entry for group in groups.values() if isinstance(group, dict) for entry in group.items()]
    for name in [name for name, fields in entries if fields["kind"] != "apt"]:
        program = folder / name
        program.write_text(f"#!/bin/sh\necho 'a test took {name} from PATH' >&2\nexit 97\n")
        program.chmod(0o755)
    environ["PATH"] = f"{folder}{os.pathsep}{environ['PATH']}"
