"""Where an upgrade happens: a namespace with its Secrets, and the values of the release."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from e2e.kube import TIMEOUT_FACTOR
from testbed import helmfile, tools

RELEASE = "mlflow"
TIMEOUT = f"{TIMEOUT_FACTOR * 240}s"


@dataclass(frozen=True)
class Place:
    """One namespace of the test cluster.

    Args:
        kubeconfig: File that leads to the cluster.
        namespace: Of the release.
        values: That people have for it, the same for every chart.
        folder: For files on their way.
        waits: Whether a way returns only when all pods are Ready.
    """

    kubeconfig: Path
    namespace: str
    values: dict[str, Any]
    folder: Path
    waits: bool = True

    def run(self, program: str, *words: str | Path, cwd: Path | None = None, stdin: str = "") -> str:
        """Run a pinned program; what it prints. AssertionError with all of it if the program fails."""
        command = [str(tools.ensure(program)), *map(str, words)]
        more = helmfile.environment() if program == "helmfile" else {}
        env = {**os.environ, **more, "KUBECONFIG": str(self.kubeconfig)}
        done = subprocess.run(command, cwd=cwd, env=env, input=stdin, text=True, capture_output=True)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def kubectl(self, *words: str | Path) -> str:
        """Run kubectl in the namespace."""
        return self.run("kubectl", "--namespace", self.namespace, *words)

    def values_file(self) -> Path:
        """Write the values to a file."""
        file = self.folder / "values.yaml"
        file.write_text(yaml.safe_dump(self.values))
        return file
