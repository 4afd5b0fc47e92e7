"""`mlflowops backup list` without a cluster; tests/e2e/test_backup.py lists real ones."""

import pytest
from kubernetes import client
from mlflowops import query
from mlflowops.backup import listing
from mlflowops.backup.cronjobs import CronJobs
from mlflowops.errors import OpsError
from mlflowops.kube import Json, Reader

BACKUP = [*query.PROGRAM[:2], "backup", "--destination=s3://b/f", "--keep=7"]
# Of chart 0.1.0.
OLD_BACKUP = ["python", "/opt/mlflow-kubernetes/backup.py", "--destination=s3://b/f", "--keep=7"]
FACTS = [{"name": "20261121T020000Z", "rows": {"public.runs": 1}}]


class FinishedJobs(CronJobs):
    """The CronJobs of a release whose Jobs end at once, with one log."""

    def __init__(self, log: str, failed: OpsError | None = None, command: list[str] = BACKUP) -> None:
        super().__init__(Reader(client.ApiClient(), "ml"), "mlflow")
        self.log, self.failed, self.command = log, failed, command
        self.created: Json = {}

    def job_template(self, task: str) -> Json:
        assert task == "backup", "no other has the place in its command"
        container = {"name": "backup", "command": self.command}
        pod = {"serviceAccountName": "mlflow-backup", "containers": [container, {"name": "postgres"}]}
        return {"metadata": {}, "spec": {"backoffLimit": 0, "template": {"spec": pod}}}

    def run_job(self, job: Json, task: str) -> tuple[str, OpsError | None]:
        self.created = job
        return self.log, self.failed


def test_it_is_asked_in_a_pod_that_backs_up() -> None:
    """By its account and with its keys; the other container would wait for an order without end."""
    jobs = FinishedJobs('a warning\nanswer [{"name": "20261121T020000Z", "rows": {"public.runs": 1}}]\n')
    assert listing.list_backups(jobs) == FACTS
    spec = jobs.created["spec"]
    pod = spec["template"]["spec"]
    assert pod["serviceAccountName"] == "mlflow-backup"
    (container,) = pod["containers"]
    assert container["command"] == query.command("backups", "s3://b/f")
    assert spec["ttlSecondsAfterFinished"] == spec["activeDeadlineSeconds"] == 300


@pytest.mark.parametrize(
    ("log", "failed", "words"),
    [
        ("", OpsError("job/mlflow-list-1", "AccessDenied", "look", 1), "job/mlflow-list-1: AccessDenied"),
        ("nothing", None, "the Job printed no list"),
    ],
)
def test_a_list_that_fails(log: str, failed: OpsError | None, words: str) -> None:
    with pytest.raises(OpsError, match=words):
        listing.list_backups(FinishedJobs(log, failed))


def test_an_older_chart_is_not_asked() -> None:
    """After a rollback, its pods have no program that lists: nothing is started."""
    jobs = FinishedJobs("", command=OLD_BACKUP)
    with pytest.raises(OpsError, match="the chart of this release is older, and its pods cannot list"):
        listing.list_backups(jobs)
    assert not jobs.created
