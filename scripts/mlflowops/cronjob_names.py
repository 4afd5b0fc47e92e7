"""Names of a release's CronJobs, as the chart makes them (`cronjobs` of `mlflow.facts`)."""

import hashlib

LONGEST = 42
"""Characters before `-retention`: a CronJob's name has 52, as Kubernetes adds 11 for each Job."""


def cronjob_name(release: str, task: str) -> str:
    """Return the name of a CronJob.

    Args:
        release: Name of the Deployment of the server.
        task: backup, drill, restore or retention.

    Returns:
        `<release>-<task>`. A longer release's name ends with a part of its digest.
    """
    if len(release) > LONGEST:
        digest = hashlib.sha256(release.encode()).hexdigest()[:8]
        release = f"{release[:33].removesuffix('-')}-{digest}"
    return f"{release}-{task}"
