"""How old is the last backup?"""

from datetime import datetime, timedelta, timezone

from mlflowops.health.check import Check, green, red, yellow
from mlflowops.health.release import Release
from mlflowops.kube import Json, Reader, parse_time

PATIENCE = timedelta(hours=3)
"""What a run may take."""

OLD = timedelta(days=8)
"""Older than this no backup should be, whatever its schedule is."""


def checks(release: Release, reader: Reader) -> list[Check]:
    """One line, if the release has a CronJob that makes backups."""
    job = reader.get_if_present("batch/v1", "cronjobs", f"{release.name}-backup")
    return [judge(job, datetime.now(timezone.utc))] if job else []


def judge(job: Json, now: datetime) -> Check:
    """What the CronJob's own record means."""
    name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
    logs = f"`kubectl get jobs,pods -n {namespace}` and `kubectl logs -n {namespace} job/<name>` say why"
    if job["spec"].get("suspend"):
        return yellow(
            "backup",
            f"cronjob/{name} is suspended",
            f'`kubectl patch -n {namespace} cronjob/{name} -p \'{{"spec":{{"suspend":false}}}}\'`',
        )
    made, due = _time(job, "lastSuccessfulTime"), _time(job, "lastScheduleTime")
    if made is None:
        since = due or parse_time(job["metadata"]["creationTimestamp"])
        detail = f"none yet, schedule {job['spec']['schedule']}"
        now_please = f"`kubectl create job -n {namespace} --from=cronjob/{name} first-backup` makes one now"
        if due and now - since > PATIENCE:
            return red("backup", f"none succeeded, although one began at {due:%Y-%m-%d %H:%M}", logs)
        return yellow("backup", detail, now_please)
    detail = f"the last one is {_hours(now - made)} old, schedule {job['spec']['schedule']}"
    missed = due is not None and due > made and now - due > PATIENCE
    return red("backup", detail, logs) if missed or now - made > OLD else green("backup", detail)


def _time(job: Json, key: str) -> datetime | None:
    said = job.get("status", {}).get(key)
    return parse_time(said) if said else None


def _hours(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours:.1f} hours" if hours < 48 else f"{age.days} days"
