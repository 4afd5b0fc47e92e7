"""One Application of Argo CD: what its engine does with the manifests that `helm template` prints."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from e2e.helm import CHART, Helm
from testbed import tools


@dataclass
class Application:
    """A release of the chart in a namespace."""

    helm: Helm
    kubeconfig: Path
    namespace: str
    server_side: bool = False
    """Its syncOptions have ServerSideApply=true, and its comparison is made by the API server."""

    def manifests(self, values: dict[str, Any], chart: Path = CHART) -> str:
        """Render the chart as Argo CD's repository server does, again for each comparison."""
        words = ["template", "mlflow", str(chart), "--namespace", self.namespace, "--include-crds"]
        return self.helm(*words, "--values", "-", stdin=yaml.safe_dump(values)).stdout

    def sync(self, manifests: str) -> dict[str, str]:
        """Apply manifests and prune what they lack; `Kind/name` of each object, and what was done to it."""
        return {_name(each["object"]): each["status"] for each in self._run("sync", manifests)}

    def status(self, manifests: str) -> dict[str, dict[str, Any]]:
        """What Argo CD shows of each object, by `Kind/name`."""
        return {_name(each["object"]): each for each in self._run("status", manifests)}

    def out_of_sync(self, manifests: str) -> dict[str, dict[str, Any]]:
        """The objects that differ, as they are and as a sync would make them."""
        states = self.status(manifests)
        return {name: each for name, each in states.items() if each["sync"] != "Synced"}

    def _run(self, command: str, manifests: str) -> list[dict[str, Any]]:
        # Its name is that of the namespace: an Application owns what bears its name, in every namespace.
        where = ["--kubeconfig", self.kubeconfig, "--namespace", self.namespace, "--name", self.namespace]
        options = [*where, "--prune"]
        if self.server_side:
            options.append("--server-side")
        words = [tools.ensure("argo-application"), *options, command]
        done = subprocess.run(words, input=manifests, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr[-3000:]
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found


def _name(key: str) -> str:
    """`Kind/name` of a key as Argo CD writes it: `group/Kind/namespace/name`."""
    _, kind, _, name = key.split("/")
    return f"{kind}/{name}"
