"""The list of backups, asked in a pod of a Job: a server pod may have no access to their bucket."""

import json
from typing import Any

from mlflowops import query
from mlflowops.backup.jobs import Jobs, Json
from mlflowops.errors import OpsError

SECONDS = 300


def listed(jobs: Jobs) -> list[Json]:
    """The facts of each backup, the newest first. OpsError if their store does not answer."""
    log, failed = jobs.finish(question(jobs.template("backup")), "list")
    if failed:
        raise failed
    try:
        found: list[Json] = json.loads(query.answer(log))
    except ValueError as error:
        wrong = "the Job printed no list"
        raise OpsError("backup list", wrong, "see `kubectl get jobs,pods`", exit_code=1) from error
    return found


def question(job: Json) -> Json:
    """A Job that lists, made from one that backs up: the same credentials, without PostgreSQL's programs."""
    spec: Json = job["spec"]
    pod: dict[str, Any] = spec["template"]["spec"]
    container = pod["containers"][0]
    container["command"] = query.command("backups", destination(container))
    pod["containers"] = [container]
    job["spec"] = {**spec, "activeDeadlineSeconds": SECONDS, "ttlSecondsAfterFinished": SECONDS}
    return job


def destination(container: Json) -> str:
    """Where the container of a backup stores, as its command line says."""
    name = "--destination="
    return next(str(word).removeprefix(name) for word in container["command"] if word.startswith(name))
