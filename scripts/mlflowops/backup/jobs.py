"""A Job from one of the release's CronJobs, as `kubectl create job --from` makes it, watched to its end."""

import secrets
import time
from dataclasses import dataclass
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from mlflowops import console, kube
from mlflowops.errors import OpsError

Json = dict[str, Any]
NOT_FOUND = 404


@dataclass(frozen=True)
class Jobs:
    """The CronJobs of a release, by their part of the name: backup, restore, drill, retention."""

    api: client.ApiClient
    namespace: str
    release: str

    def template(self, task: str) -> Json:
        """What a CronJob makes Jobs from. OpsError if there is no such CronJob."""
        name = f"{self.release}-{task}"
        try:
            found = self.plain(client.BatchV1Api(self.api).read_namespaced_cron_job(name, self.namespace))
        except ApiException as error:
            if error.status != NOT_FOUND:
                raise
            raise OpsError(
                f"cronjob/{name}",
                f"not in namespace {self.namespace!r}",
                "set backup.enabled: true in the values and deploy, or name another --namespace or --release",
            ) from error
        template: Json = found["spec"]["jobTemplate"]
        template["metadata"] = {
            **template.get("metadata", {}),
            "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
            "ownerReferences": [
                {"apiVersion": "batch/v1", "kind": "CronJob", "name": name, "uid": found["metadata"]["uid"]}
            ],
        }
        return template

    def run(self, task: str, *arguments: str) -> None:
        """Make a Job, with more arguments for its program, and print its log; OpsError if it fails."""
        job = self.template(task)
        container = job["spec"]["template"]["spec"]["containers"][0]
        container["command"] = [*container["command"], *arguments]
        log, failed = self.finish(job, task)
        console.err.print(log, markup=False, highlight=False, soft_wrap=True, end="")
        if failed:
            raise failed

    def finish(self, job: Json, task: str) -> tuple[str, OpsError | None]:
        """Make that Job and wait for its end: the log of its first container, and the error if it failed."""
        job["metadata"]["name"] = name = f"{self.release}-{task}-{secrets.token_hex(3)}"
        container = job["spec"]["template"]["spec"]["containers"][0]["name"]
        batch = client.BatchV1Api(self.api)
        with console.step(f"job/{name}"):
            body = {"apiVersion": "batch/v1", "kind": "Job", **job}
            kube.create_if_absent(batch.create_namespaced_job, namespace=self.namespace, body=body)
            while not (end := _end(self.plain(batch.read_namespaced_job_status(name, self.namespace)))):
                time.sleep(1)
        log = self._log(name, container)
        if end == "Complete":
            return log, None
        wrong = log.strip().splitlines()[-1:] or ["it failed without a log"]
        look = f"`kubectl logs -n {self.namespace} job/{name} --all-containers` says more"
        return log, OpsError(f"job/{name}", wrong[0].rstrip("."), look, exit_code=1)

    def plain(self, found: object) -> Any:
        """What the API answered, in its own words."""
        return self.api.sanitize_for_serialization(found)

    def _log(self, job: str, container: str) -> str:
        core = client.CoreV1Api(self.api)
        pods = self.plain(core.list_namespaced_pod(self.namespace, label_selector=f"job-name={job}"))
        names = [pod["metadata"]["name"] for pod in pods["items"]]
        try:
            logs = [core.read_namespaced_pod_log(name, self.namespace, container=container) for name in names]
        except ApiException as error:  # the container never ran
            return f"{error.reason}\n"
        return "".join(logs)


def connect(namespace: str, release: str, context: str | None) -> Jobs:
    """The release's CronJobs in the cluster that kubectl would use."""
    return Jobs(kube.connect(context), namespace, release)


def _end(job: Json) -> str:
    """`Complete`, `Failed`, or nothing as long as it runs."""
    found = job.get("status", {}).get("conditions", [])
    conditions = {each["type"] for each in found if each["status"] == "True"}
    return next((end for end in ("Complete", "Failed") if end in conditions), "")
