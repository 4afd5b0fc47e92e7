"""The list of backups, asked in a pod of a Job: a server pod may have no access to their bucket."""

import json
from typing import Any

from mlflowops.backup.jobs import Jobs, Json
from mlflowops.errors import OpsError

SECONDS = 300
LISTED = "listed "  # some versions of the Kubernetes client parse a log that is JSON alone
PROGRAM = f"""
import json, os, sys
sys.path.append("/opt/mlflow-kubernetes")
from backup_store import Backups
backups = Backups(os.environ, sys.argv[1])
print({LISTED!r} + json.dumps([backups.facts(name) for name in backups.names()]))
"""


def listed(jobs: Jobs) -> list[Json]:
    """The facts of each backup, the newest first. OpsError if their store does not answer."""
    log, failed = jobs.finish(question(jobs.template("backup")), "list")
    if failed:
        raise failed
    answers = [line.removeprefix(LISTED) for line in log.splitlines() if line.startswith(LISTED)]
    if not answers:
        raise OpsError("backup list", "the Job printed no list", "see `kubectl get jobs,pods`", exit_code=1)
    found: list[Json] = json.loads(answers[-1])
    return found


def question(job: Json) -> Json:
    """A Job that lists, made from one that backs up: the same credentials, without PostgreSQL's programs."""
    spec: Json = job["spec"]
    pod: dict[str, Any] = spec["template"]["spec"]
    container = pod["containers"][0]
    container["command"] = ["python", "-c", PROGRAM, destination(container)]
    pod["containers"] = [container]
    job["spec"] = {**spec, "activeDeadlineSeconds": SECONDS, "ttlSecondsAfterFinished": SECONDS}
    return job


def destination(container: Json) -> str:
    """Where the container of a backup stores, as its command line says."""
    name = "--destination="
    return next(str(word).removeprefix(name) for word in container["command"] if word.startswith(name))
