"""`kubectl apply` of the rendered chart, as Argo CD and Flux do it."""

import re
from pathlib import Path
from typing import Any

import yaml
from mlflowops.paths import REPO

from e2e.kube import eventually
from e2e.up import run
from e2e.upgrades.helm_way import HelmWay
from e2e.upgrades.place import RELEASE, TIMEOUT, Place

PAGE = (REPO / "docs/upgrading.md").read_text()
(HAND_OVER,) = re.findall(r"(?m)^(helm get manifest mlflow -n ml .+\nsed .+\nkubectl replace .+?)  ", PAGE)
SERVER_SIDE = ("--server-side", "--field-manager", "argocd-controller")


class ApplyWay(HelmWay):
    """A controller that renders the chart, applies it and removes what is not part of it any more."""

    def __init__(
        self, place: Place, released: Path, *, options: tuple[str, ...] = (), installed_by: str = ""
    ) -> None:
        """Choose how it applies.

        Args:
            place: Where it happens.
            released: Archive of the released chart.
            options: Of `kubectl apply`.
            installed_by: Name of the Helm that installed the release, which the controller takes over.
        """
        super().__init__(place, released)
        self.options, self.installed_by = options, installed_by
        self.applied: list[dict[str, Any]] = []

    def install(self) -> None:
        """Apply the released chart, or let Helm install it."""
        if not self.installed_by:
            return self._apply(self.released)
        super().install()
        self.applied = super().manifest()
        return None

    def upgrade(self) -> None:
        """Apply this tree's chart, after Helm's fields are handed over if it made the objects."""
        if self.installed_by:
            eventually(self.hand_over, 60, "no object was modified meanwhile")
        self._apply(self.chart)

    def back(self) -> None:
        """Apply the released chart."""
        self._apply(self.released)

    def manifest(self) -> list[dict[str, Any]]:
        """Return what was applied last."""
        return self.applied

    def _apply(self, chart: Path) -> None:
        """Apply, remove, and wait as `health` of Argo CD does."""
        file, before = self._rendered(chart), self.applied
        self.place.kubectl("apply", *self.options, "--filename", file)
        self.applied = [each for each in yaml.safe_load_all(file.read_text()) if each]
        for kind, name in sorted(identities(before) - identities(self.applied)):
            self.place.kubectl("delete", kind, name)
        for kind, name in sorted(identities(self.applied)):
            if kind == "Deployment" and self.place.waits:
                self.place.kubectl("rollout", "status", f"deployment/{name}", f"--timeout={TIMEOUT}")

    def hand_over(self) -> bool:
        """Type what docs/upgrading.md says; whether it succeeded."""
        commands = HAND_OVER.replace("-n ml", f"-n {self.place.namespace}")
        done = run(f"set -e; cd {self.place.folder}; {commands}", self.place.kubeconfig, check=False)
        print(done.stdout, done.stderr)
        return done.returncode == 0

    def _rendered(self, chart: Path) -> Path:
        """Render without tests, which those controllers leave out."""
        where = ("--namespace", self.place.namespace, "--values", self.place.values_file())
        file = self.place.folder / "manifest.yaml"
        file.write_text(self.place.run("helm", "template", RELEASE, chart, *where, "--skip-tests"))
        return file


def identities(objects: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return kind and name of each object."""
    return {(each["kind"], each["metadata"]["name"]) for each in objects}
