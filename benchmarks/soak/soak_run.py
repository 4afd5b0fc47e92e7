"""One soak: install, measure the capacity, keep a share of it up while things happen, and remove all."""

import contextlib
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from e2e.faults.people import People, Way
from e2e.helm import Helm
from e2e.kube import Kube
from e2e.leaks import remove
from e2e.stores import POSTGRES, Database, s3_client, shared_stores
from kubernetes import client
from mlflowops import shell

from benchmarks.record import Record
from benchmarks.soak.load_pod import LoadPod
from benchmarks.soak.samples import Samples, slopes
from testbed import tools

NAMESPACE = "soak"
SHARE, CAPACITY_WINDOWS = 0.7, 6
SAMPLE_SECONDS, FIRST_ROLLOUT_SECONDS, ROLLOUT_SECONDS = 15, 60, 300
# The check only reads. The name of the server may not be found on a busy machine.
CHECKS = 4
SMALL = {"requests": {"cpu": "20m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}
VALUES: dict[str, Any] = {
    "replicaCount": 2,
    "mlflow": {"resources": {"requests": {"cpu": "100m", "memory": "256Mi"}}},
    "metrics": {"enabled": True},
    # They run every five minutes, one after the other.
    "backup": {"enabled": True, "schedule": "*/5 * * * *", "image": POSTGRES, "resources": SMALL, "keep": 2},
    "retention": {"schedule": "2-59/5 * * * *", "graceDays": 0, "resources": SMALL},
}


class Soak:
    """A release, its load, and what is known of them so far."""

    def __init__(self, kubeconfig: Path, record: Record, minutes: float) -> None:
        self.kubeconfig, self.record, self.minutes = kubeconfig, record, minutes
        self.kube, self.helm = Kube(kubeconfig), Helm(kubeconfig)
        self.data = record.data
        self.load = LoadPod(self.kube, NAMESPACE)
        self.people = People(self.kube, NAMESPACE, "people", Way())
        self.stop = threading.Event()

    def __call__(self) -> None:
        """Do all steps."""
        try:
            samples = self._install()
            self.load.start()
            self._measure_capacity()
            self.people.start()
            self._keep_up(samples)
            self._conclude(samples)
        finally:
            with contextlib.suppress(client.ApiException):
                remove(self.kube, NAMESPACE)

    def _install(self) -> Samples:
        self.kube.create_namespace(NAMESPACE)
        database = Database.create(self.kube, NAMESPACE)
        backups = f"soak-{secrets.token_hex(3)}"
        s3_client(self.kube).create_bucket(Bucket=backups)
        self.kube.secret(NAMESPACE, "mlflow-backup-secret", self.kube.read_secret("ml", "mlflow-s3-secret"))
        values = {**VALUES, **shared_stores(self.kube, NAMESPACE, database)}
        values["backup"] = {**VALUES["backup"], "bucket": backups, "credentialsFromSecret": {"enabled": True}}
        values["backendStore"]["postgres"] |= {"cleanupRunsEnabled": True, "cleanupRunsDays": 30}
        self.helm.install(NAMESPACE, values, wait="240s")
        self.record.say("installed")
        return Samples(self.kube, NAMESPACE, database)

    def _measure_capacity(self) -> None:
        windows = self.load.wait_for_windows(CAPACITY_WINDOWS)
        rate = sum(each[1] for each in windows) / (windows[-1][0] - windows[0][0]) * (1 - 1 / len(windows))
        self.data["capacity"], self.data["rate"] = round(rate, 1), round(SHARE * rate, 1)
        self.load.pace(self.data["rate"])
        self.record.say(f"capacity {rate:.0f} requests per second; from now on {self.data['rate']:.0f}")

    def _keep_up(self, samples: Samples) -> None:
        """Take samples until the time is over, while a thread rolls the pods."""
        self.data["began"] = began = round(time.time())
        rolling = threading.Thread(target=self._roll)
        rolling.start()
        try:
            while time.time() < began + 60 * self.minutes:
                try:
                    self.data["samples"].append(samples.take())
                except Exception as error:
                    self.record.failed("sample", error)
                self.record.write()
                time.sleep(SAMPLE_SECONDS)
        finally:
            self.stop.set()
            rolling.join()
        self.data["ended"] = round(time.time())

    def _check(self) -> dict[str, Any]:
        for _ in range(CHECKS - 1):
            try:
                return self.people.end()
            except AssertionError as error:
                self.record.failed("check", error)
        return self.people.end()

    def _roll(self) -> None:
        """Restart the pods after a minute and then every five, but not in the last two."""
        end = time.time() + 60 * (self.minutes - 2)
        wait = FIRST_ROLLOUT_SECONDS
        while not self.stop.wait(wait) and time.time() < end:
            wait = ROLLOUT_SECONDS
            entry = {"at": round(time.time()), "seconds": 0}
            try:
                self._kubectl("rollout", "restart", "deployment/mlflow")
                self._kubectl("rollout", "status", "deployment/mlflow", "--timeout=900s")
            except Exception as error:
                self.record.failed("rollout", error)
            entry["seconds"] = round(time.time() - entry["at"])
            self.data["rollouts"].append(entry)
            self.record.say(f"rollout in {entry['seconds']} s")

    def _kubectl(self, *words: str) -> None:
        command = [tools.ensure("kubectl"), "--kubeconfig", self.kubeconfig, "--namespace", NAMESPACE]
        shell.run([*command, *words])

    def _conclude(self, samples: Samples) -> None:
        """Compare what was acknowledged with what is there, and add up."""
        state, seen = self.load.state(), self._check()
        began = self.data["began"]
        windows = [each for each in state["windows"] if began < each[0]]
        refused = sum(seen["refused"].values())
        self.data["windows"] = windows
        self.data["errors"] = sum(each[2] for each in windows) + refused
        self.data["failed_requests"] = [each for each in state["failures"] if each[0] > began]
        self.data["requests"] = sum(each[1] for each in windows) + seen["requests"]
        self.data["acknowledged"] = seen["acknowledged"]
        self.data["lost"] = [*seen["lost"], *map(str, seen["wrong"])]
        self.data["doubled"] = seen["doubled"]
        self.data["restarts"] = sum(samples.restarts.values())
        samples.look_at_jobs()
        self.data["jobs"] = samples.tasks()
        self.data["slopes"] = [list(each) for each in slopes(self.data["samples"])]
        self.record.write()
