"""`mlflowops backup list` without a cluster; tests/e2e/test_backup.py lists real ones."""

from typing import Any

import pytest
from kubernetes import client
from mlflowops import query
from mlflowops.backup import listing
from mlflowops.backup.jobs import Jobs, Json
from mlflowops.errors import OpsError

BACKUP = {"name": "backup", "command": ["python", "backup", "--destination=s3://b/f", "--keep=7"]}
FACTS = [{"name": "20261121T020000Z", "rows": {"public.runs": 1}}]


class Asked(Jobs):
    """A release whose Jobs end at once, with that log."""

    log, failed = "", None
    made: Json

    def template(self, task: str) -> Json:
        assert task == "backup", "no other has the place in its command"
        pod = {"serviceAccountName": "mlflow-backup", "containers": [{**BACKUP}, {"name": "postgres"}]}
        return {"metadata": {}, "spec": {"backoffLimit": 0, "template": {"spec": pod}}}

    def finish(self, job: Json, task: str) -> tuple[str, Any]:
        object.__setattr__(self, "made", job)
        return self.log, self.failed


def asked(log: str, failed: OpsError | None = None) -> Asked:
    jobs = Asked(client.ApiClient(), "ml", "mlflow")
    object.__setattr__(jobs, "log", log)
    object.__setattr__(jobs, "failed", failed)
    return jobs


def test_it_is_asked_in_a_pod_that_backs_up() -> None:
    """By its account and with its keys; the other container would wait for an order for ever."""
    jobs = asked('a warning\nanswer [{"name": "20261121T020000Z", "rows": {"public.runs": 1}}]\n')
    assert listing.listed(jobs) == FACTS
    spec = jobs.made["spec"]
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
        listing.listed(asked(log, failed))
