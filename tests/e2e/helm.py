"""Helm as users type it, on the test cluster."""

import subprocess
from pathlib import Path
from typing import Any

import yaml
from mlflowops.paths import REPO

from e2e.kube import TIMEOUT_FACTOR
from testbed import tools

CHART = REPO / "charts/mlflow"
MLFLOW_VERSION = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
OUR_IMAGE = {"registry": "localhost", "repository": "mlflow", "tag": MLFLOW_VERSION}


class Helm:
    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig
        self._helm = tools.ensure("helm")

    def __call__(
        self, *words: str, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        command = [str(self._helm), "--kubeconfig", str(self._kubeconfig), *words]
        done = subprocess.run(command, cwd=REPO, input=stdin, text=True, capture_output=True)
        if check and done.returncode:
            raise AssertionError(f"helm {' '.join(words)}\n{done.stdout}\n{done.stderr}")
        return done

    def install(
        self,
        namespace: str,
        values: dict[str, Any],
        *,
        wait: str = "120s",
        release: str = "mlflow",
        chart: Path = CHART,
    ) -> str:
        """Install or upgrade with the image of this repository; `wait=""` returns at once.

        A slow machine gets TIMEOUT_FACTOR times as many seconds.
        """
        words = ["upgrade", "--install", release, str(chart), "--namespace", namespace, "--values", "-"]
        if wait:
            words += ["--wait", "--timeout", f"{TIMEOUT_FACTOR * int(wait.removesuffix('s'))}s"]
        image = {"image": OUR_IMAGE} if chart == CHART else {}
        return self(*words, stdin=yaml.safe_dump({**image, **values})).stdout
