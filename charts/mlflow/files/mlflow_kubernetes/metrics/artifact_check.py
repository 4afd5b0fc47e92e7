"""The check of the artifact store, in a process of its own that ends with it.

The library of an object store takes 25 to 60 MiB, more than all else in the exporter; a check, 0.5 s of CPU.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping

import mlflow_kubernetes
from mlflow_kubernetes.metrics.periodic_check import Failed, Look
from mlflow_kubernetes.stores import token_file
from mlflow_kubernetes.stores.artifact_root import artifact_root
from mlflow_kubernetes.stores.store_factory import open_store

# A check that takes longer has failed, and its process is killed.
TIMEOUT_SECONDS = 60.0


def main() -> None:
    """Check the store once, and write to stdout how many seconds that took, or what went wrong."""
    store = open_store(os.environ, artifact_root(os.environ))
    if store is None:
        sys.exit("mlflow: check: MLFLOW_ARTIFACTS_DESTINATION: it is not an object store; set one.")
    try:
        store.open_for_check()
        began = time.monotonic()
        store.check()
        result: dict[str, object] = {"seconds": time.monotonic() - began}
    except Exception as failure:  # the libraries raise errors of many kinds
        result = {"error": f"{type(failure).__name__}: {failure}"}
    print(json.dumps(result), file=sys.__stdout__)


def look(env: Mapping[str, str]) -> Look:
    """Run the check in a child; its process has logged what ends it without a result."""
    # The child needs no database, so it fetches no token for one either.
    given = {name: value for name, value in env.items() if name != token_file.VARIABLE}
    command = mlflow_kubernetes.command("check")
    try:
        done = subprocess.run(
            command, env=given, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
        result = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise Failed(f"no answer within {TIMEOUT_SECONDS:g} s") from None
    except ValueError:
        raise Failed(f"the process of the check ended with code {done.returncode}") from None
    if "error" in result:
        raise Failed(result["error"])
    return Look(result["seconds"])
