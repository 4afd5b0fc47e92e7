"""Creates Jobs from the release's CronJobs, as `kubectl create job --from` does, and waits for their end."""

import secrets

from mlflowops import console, kube
from mlflowops.cronjob_names import cronjob_name
from mlflowops.errors import OpsError
from mlflowops.kube import ApiError, Json, Reader


class CronJobs:
    """The CronJobs of a release, by the last part of their names: backup, restore, drill, retention.

    Attributes:
        reader: Reader of the namespace.
        release: Name of the Deployment of the server.
    """

    def __init__(self, reader: Reader, release: str) -> None:
        self.reader = reader
        self.release = release

    def job_template(self, task: str) -> Json:
        """Return what a CronJob creates Jobs from.

        Raises:
            OpsError: There is no such CronJob.
        """
        name = cronjob_name(self.release, task)
        found = self.reader.get_if_present("batch/v1", "cronjobs", name)
        if found is None:
            raise OpsError(
                f"cronjob/{name}",
                f"not in namespace {self.reader.namespace!r}",
                "set backup.enabled: true in the values and deploy, or name another --namespace or --release",
            )
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
        """Create a Job, with more arguments for its program, and print its log.

        Raises:
            OpsError: The Job failed.
        """
        job = self.job_template(task)
        container = job["spec"]["template"]["spec"]["containers"][0]
        container["command"] = [*container["command"], *arguments]
        log, failed = self.run_job(job, task)
        console.err.print(log, markup=False, highlight=False, soft_wrap=True, end="")
        if failed:
            raise failed

    def run_job(self, job: Json, task: str) -> tuple[str, OpsError | None]:
        """Create a Job and wait for its end; an interruption deletes it with its pod.

        Returns:
            The log of its first container, and the error if it failed.
        """
        job["metadata"]["name"] = name = f"{cronjob_name(self.release, task)}-{secrets.token_hex(3)}"
        container = job["spec"]["template"]["spec"]["containers"][0]["name"]
        with console.step(f"job/{name}"):
            body = {"apiVersion": "batch/v1", "kind": "Job", **job}
            kube.create_job(self.reader.api, self.reader.namespace, body)
            try:
                result = kube.wait_until(lambda: _result(self.reader.get("batch/v1", "jobs", name)))
            except (KeyboardInterrupt, SystemExit):
                kube.delete_job(self.reader.api, self.reader.namespace, name)
                kube.wait_until(lambda: not self.reader.get_if_present("batch/v1", "jobs", name))
                raise
        log = self._log(name, container)
        if result == "Complete":
            return log, None
        wrong = log.strip().splitlines()[-1:] or ["it failed without a log"]
        look = f"`kubectl logs -n {self.reader.namespace} job/{name} --all-containers` says more"
        return log, OpsError(f"job/{name}", wrong[0].rstrip("."), look, exit_code=1)

    def _log(self, job: str, container: str) -> str:
        pods = self.reader.list_pods(f"job-name={job}")
        try:
            return "".join(self.reader.log(pod["metadata"]["name"], container) for pod in pods)
        except ApiError as error:  # the container never ran
            return f"{error.reason}\n"


def connect(namespace: str, release: str, context: str | None) -> CronJobs:
    """Return the CronJobs of a release in the cluster that kubectl would use."""
    return CronJobs(Reader(kube.connect(context), namespace), release)


def _result(job: Json) -> str:
    """Return `Complete` or `Failed`, or an empty string while the Job runs."""
    conditions = kube.true_conditions(job)
    return next((result for result in ("Complete", "Failed") if result in conditions), "")
