"""The helmfile of this repository as users type it, without a cluster."""

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml
from mlflowops.paths import REPO

from testbed import helmfile, tools

ENVIRONMENTS = ("local", "dev", "prod")
Json = dict[str, Any]


class Helmfile:
    """Runs helmfile and helm with the pinned versions; no kubeconfig, so that no cluster is ever asked."""

    def __init__(self, nowhere: Path) -> None:
        self.env = {**os.environ, **helmfile.environment(), "KUBECONFIG": str(nowhere / "kubeconfig")}

    def __call__(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return self._run(tools.ensure("helmfile"), *words, **env)

    def helm(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._run(tools.ensure("helm"), *words)

    def render(self, environment: str) -> list[Json]:
        """All objects of an environment."""
        done = self("--environment", environment, "template")
        assert done.returncode == 0, done.stderr
        return objects(done.stdout)

    def _run(self, program: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = [str(program), *words]
        return subprocess.run(command, cwd=REPO, env={**self.env, **env}, capture_output=True, text=True)


def objects(text: str) -> list[Json]:
    return [item for item in yaml.load_all(text, yaml.CSafeLoader) if item]


def read(file: Path) -> Json:
    return yaml.safe_load(file.read_text()) or {}


def leaves(tree: Any, path: str = "") -> dict[str, Any]:
    """Every value of nested maps under its dotted path."""
    if not isinstance(tree, dict) or not tree:
        return {path: tree}
    below = [leaves(value, f"{path}.{key}" if path else key) for key, value in tree.items()]
    return {name: value for each in below for name, value in each.items()}
