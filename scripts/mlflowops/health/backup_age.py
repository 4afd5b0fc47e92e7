"""Checks the age of the last backup."""

from datetime import datetime, timedelta, timezone

from mlflowops.cronjob_names import cronjob_name
from mlflowops.health.check import Check, green, red, yellow
from mlflowops.health.release import Release
from mlflowops.kube import Json, Reader, parse_time

MAX_RUN_TIME = timedelta(hours=3)
"""Maximum duration of a backup."""

MAX_AGE = timedelta(days=8)
"""Maximum age of the last backup with any schedule."""


def checks(release: Release, reader: Reader) -> list[Check]:
    """Return one check, if the release has a CronJob for backups."""
    job = reader.get_if_present("batch/v1", "cronjobs", cronjob_name(release.name, "backup"))
    return [evaluate(job, datetime.now(timezone.utc))] if job else []


def evaluate(job: Json, now: datetime) -> Check:
    """Evaluate the status of the CronJob at a time."""
    name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
    logs = f"`kubectl get jobs,pods -n {namespace}` and `kubectl logs -n {namespace} job/<name>` say why"
    if job["spec"].get("suspend"):
        return yellow(
            "backup",
            f"cronjob/{name} is suspended",
            f'`kubectl patch -n {namespace} cronjob/{name} -p \'{{"spec":{{"suspend":false}}}}\'`',
        )
    succeeded, scheduled = _status_time(job, "lastSuccessfulTime"), _status_time(job, "lastScheduleTime")
    if succeeded is None:
        since = scheduled or parse_time(job["metadata"]["creationTimestamp"])
        detail = f"none yet, schedule {job['spec']['schedule']}"
        create_now = f"`kubectl create job -n {namespace} --from=cronjob/{name} first-backup` makes one now"
        if scheduled and now - since > MAX_RUN_TIME:
            return red("backup", f"none succeeded, although one began at {scheduled:%Y-%m-%d %H:%M}", logs)
        return yellow("backup", detail, create_now)
    detail = f"the last one is {_format_age(now - succeeded)} old, schedule {job['spec']['schedule']}"
    missed = scheduled is not None and scheduled > succeeded and now - scheduled > MAX_RUN_TIME
    return red("backup", detail, logs) if missed or now - succeeded > MAX_AGE else green("backup", detail)


def _status_time(job: Json, key: str) -> datetime | None:
    text = job.get("status", {}).get(key)
    return parse_time(text) if text else None


def _format_age(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours:.1f} hours" if hours < 48 else f"{age.days} days"
