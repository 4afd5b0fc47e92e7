"""Lists the backups in a Job: a server pod may have no access to their bucket."""

import json
from typing import Any

from mlflowops import query
from mlflowops.backup.cronjobs import CronJobs
from mlflowops.errors import OpsError
from mlflowops.kube import Json

SECONDS = 300


def list_backups(cronjobs: CronJobs) -> list[Json]:
    """Return the facts of each backup, the newest first.

    Raises:
        OpsError: The Job failed, for example because the store does not answer.
    """
    log, failed = cronjobs.run_job(listing_job(cronjobs.job_template("backup")), "list")
    if failed:
        raise failed
    try:
        found: list[Json] = json.loads(query.answer(log))
    except ValueError as error:
        wrong = "the Job printed no list"
        raise OpsError("backup list", wrong, "see `kubectl get jobs,pods`", exit_code=1) from error
    return found


def listing_job(job: Json) -> Json:
    """Turn a Job that makes a backup into one that lists them with the same credentials."""
    spec: Json = job["spec"]
    pod: dict[str, Any] = spec["template"]["spec"]
    container = pod["containers"][0]
    if query.PROGRAM[1] not in container["command"]:
        wrong = "the chart of this release is older, and its pods cannot list backups"
        raise OpsError(
            "backup list", wrong, "list them before a rollback, or name one to `mlflowops restore`"
        )
    container["command"] = query.command("backups", destination(container))
    pod["containers"] = [container]
    job["spec"] = {**spec, "activeDeadlineSeconds": SECONDS, "ttlSecondsAfterFinished": SECONDS}
    return job


def destination(container: Json) -> str:
    """Return where a backup container stores, from its command line."""
    name = "--destination="
    return next(str(word).removeprefix(name) for word in container["command"] if word.startswith(name))
