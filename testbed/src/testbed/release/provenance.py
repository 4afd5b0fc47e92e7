"""The SLSA provenance of a release: from which commit, with which locked inputs, by which builder."""

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from testbed.release.commit import Source
from testbed.release.identity import sha256

# What decides, beside the commit, which bytes come out.
LOCKED = (
    "requirements-dev.lock",
    "testbed/images/images.toml",
    "testbed/images/mlflow/requirements.lock",
    "testbed/tools.toml",
)


def predicate(source: Source, files: Path, environ: Mapping[str, str] = os.environ) -> str:
    """Describe how the files of a release are made.

    Args:
        source: the commit.
        files: the files of the commit.
        environ: where GitHub's runner says which workflow runs.

    Returns:
        The predicate of https://slsa.dev/provenance/v1 as JSON.
    """
    where = _repository(environ)
    locked = [{"uri": f"{where}#{name}", "digest": {"sha256": sha256(files / name)}} for name in LOCKED]
    commit = {"uri": f"{where}@refs/tags/{source.tag}", "digest": {"gitCommit": source.commit}}
    definition = {
        "buildType": "urn:mlflow-kubernetes:make-release:v1",
        "externalParameters": {"repository": where, "version": source.version},
        "internalParameters": {"machine": platform.machine()},
        "resolvedDependencies": [commit, *locked],
    }
    details: dict[str, Any] = {"builder": {"id": _builder(environ)}}
    if "GITHUB_RUN_ID" in environ:
        run = f"{_server(environ)}/actions/runs/{environ['GITHUB_RUN_ID']}"
        details["metadata"] = {"invocationId": f"{run}/attempts/{environ['GITHUB_RUN_ATTEMPT']}"}
    return json.dumps({"buildDefinition": definition, "runDetails": details}, indent=2) + "\n"


def _repository(environ: Mapping[str, str]) -> str:
    known = "GITHUB_REPOSITORY" in environ
    return f"git+{_server(environ)}" if known else "urn:mlflow-kubernetes:local-clone"


def _builder(environ: Mapping[str, str]) -> str:
    reference = environ.get("GITHUB_WORKFLOW_REF")
    return f"{environ['GITHUB_SERVER_URL']}/{reference}" if reference else "urn:mlflow-kubernetes:own-machine"


def _server(environ: Mapping[str, str]) -> str:
    return f"{environ['GITHUB_SERVER_URL']}/{environ['GITHUB_REPOSITORY']}"
