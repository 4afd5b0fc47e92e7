"""`helmfile apply` of the release that `make up` deployed is interrupted while people track, and repeated."""

import os
import re
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mlflowops.paths import REPO

from e2e.faults.release import Release
from e2e.faults.tasks import BUSY
from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.up import run

NAMESPACE = "ml"
COMMAND = [str(REPO / ".venv/bin/mlflowops"), "helmfile", "-e", "local", "-l", "name=mlflow", "apply"]
# What the page says about a release that stays locked.
(UNLOCK,) = re.findall(r"(?m)^kubectl delete secret -n ml -l .*$", (REPO / "docs/upgrading.md").read_text())
SIGNALS = (signal.SIGINT, signal.SIGKILL)


@dataclass
class Apply:
    """One apply that changes an annotation of the pods, in a process group of its own as at a terminal."""

    release: Release
    helm: Helm
    kubeconfig: Path
    log: Path
    number: int
    before: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.before = {each.metadata.uid for each in self.release.pods()}
        # Without the default, a run of tests in the background would pass on that SIGINT is ignored.
        command = [
            "env",
            "--default-signal=INT",
            *COMMAND,
            "--set",
            f"podAnnotations.apply=number-{self.number}",
        ]
        env = {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=env, cwd=REPO, start_new_session=True
            )

    def started(self) -> bool:
        return True

    def compares(self) -> bool:
        return "Comparing release=mlflow" in self.log.read_text()

    def is_pending(self) -> bool:
        listed = self.helm("list", "--pending", "--output", "json", "-n", NAMESPACE).stdout
        return '"mlflow"' in listed

    def has_a_new_pod(self) -> bool:
        return bool(self._new_pods())

    def has_a_migrated_pod(self) -> bool:
        """Whether the init container of a new pod has ended."""
        statuses = [each for pod in self._new_pods() for each in pod.status.init_container_statuses or []]
        return any(each.state.terminated for each in statuses)

    def _new_pods(self) -> list[Any]:
        pods = self.release.kube.pods(NAMESPACE)
        return [each for each in pods if each.metadata.uid not in self.before]

    def interrupt(self, moment: Callable[["Apply"], bool], number: signal.Signals) -> None:
        """Send the signal to the whole group at that moment, and wait until it has ended."""
        eventually(lambda: moment(self), 120, moment.__name__, every=0.05)
        os.killpg(self.process.pid, number)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise


MOMENTS = (Apply.started, Apply.compares, Apply.is_pending, Apply.has_a_new_pod, Apply.has_a_migrated_pod)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_helmfile_apply_is_interrupted(kube: Kube, helm: Helm, kubeconfig: Path, tmp_path: Path) -> None:
    """At ten moments: five, by Ctrl-C and by SIGKILL."""
    release = Release(kube, NAMESPACE, replicas=1)
    places = [(moment, number) for moment in MOMENTS for number in SIGNALS]

    def happen() -> None:
        for number, (moment, how) in enumerate(places):
            log = tmp_path / f"{number}.log"
            Apply(release, helm, kubeconfig, log, number).interrupt(moment, how)
            print(moment.__name__, how.name, _status(helm), log.read_text()[-300:])
            repeat(helm, kubeconfig, number)
            assert _status(helm) == "deployed"
            release.pods()

    try:
        outcome = release.under_load(
            "`helmfile apply` is interrupted at ten moments and repeated", happen, 300
        )
    finally:
        run(" ".join(COMMAND), kubeconfig)
    assert set(outcome.refused) <= BUSY
    assert outcome.restarts == 0


def repeat(helm: Helm, kubeconfig: Path, number: int) -> None:
    """Type it again; if Helm says that another one is at work, what the page says first."""
    again = f"{' '.join(COMMAND)} --set podAnnotations.apply=number-{number}"
    done = run(again, kubeconfig, check=False)
    if "another operation" in done.stdout + done.stderr:
        run(UNLOCK, kubeconfig)
        done = run(again, kubeconfig, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _status(helm: Helm) -> str:
    return re.findall(r"(?m)^STATUS: (\S+)", helm("status", "mlflow", "-n", NAMESPACE).stdout)[0]
