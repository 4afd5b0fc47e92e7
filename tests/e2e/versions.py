"""`python -m e2e.versions`: write the runs of docs/support.json into docs/support.md.

`make versions` records a run of end-to-end tests there: on which versions it was, and what passed. A run
replaces the one on the same minor version of Kubernetes.
"""

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from mlflowops.paths import REPO
from testbed.cluster.base import minor

from e2e.faults.outcome import COMMIT, today
from e2e.faults.report import table
from testbed import cluster, tools

RESULTS = REPO / "docs/support.json"
PAGE = REPO / "docs/support.md"
BEGIN, END = "<!-- runs: make versions -->\n", "<!-- end of runs -->\n"
COLUMNS = ("Kubernetes of the cluster", "Helm", "PostgreSQL", "MLflow", "tests passed", "commit, date")


class Run:
    """A plugin of pytest that records one run."""

    def __init__(self, file: Path, name: str) -> None:
        self.file, self.cluster = file, cluster.current(name)
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has passed if its call has, and neither its setup nor its teardown failed."""
        if report.when == "call" or not report.passed:
            self.outcomes[report.nodeid] = report.outcome

    def pytest_sessionfinish(self) -> None:
        """Add the run, unless a test failed or none ran: such a run shows nothing."""
        if not self.outcomes or set(self.outcomes.values()) != {"passed"}:
            return
        passed = Counter(Path(name.partition("::")[0]).name for name in self.outcomes)
        found = {**self.versions(), "passed": dict(sorted(passed.items())), "commit": COMMIT, "date": today()}
        runs = merged(read(self.file), found)
        self.file.write_text(json.dumps(runs, indent=1) + "\n")

    def versions(self) -> dict[str, str]:
        """Asked from what runs."""
        from testbed.cluster.status import of

        deployment = ["get", "deployment", "mlflow", "--namespace", "ml", "--output"]
        image = self._kubectl(*deployment, "jsonpath={.spec.template.spec.containers[0].image}")
        database = self._kubectl("exec", "--namespace", "ml", "postgres-0", "--", "postgres", "--version")
        return {
            "kubernetes": of(self.cluster).version.removeprefix("v"),
            "helm": tools.tool("helm").version,
            "postgresql": database.split()[2],
            # Without the patch release, which `make mlflow` would write here again.
            "mlflow": minor(image.rpartition(":")[2]),
        }

    def _kubectl(self, *words: str) -> str:
        command = [tools.ensure("kubectl"), "--kubeconfig", self.cluster.kubeconfig, *words]
        return subprocess.run(command, check=True, text=True, capture_output=True).stdout


def read(file: Path = RESULTS) -> list[dict[str, Any]]:
    """Return the recorded runs."""
    return list(json.loads(file.read_text())) if file.exists() else []


def merged(runs: list[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the runs with a new one in the place of that on the same minor version of Kubernetes."""
    by_minor = {_minor(each["kubernetes"]): each for each in [*runs, new]}
    return [by_minor[key] for key in sorted(by_minor)]


def with_runs(text: str, runs: list[dict[str, Any]]) -> str:
    """Return the text of the page with a table of these runs."""
    before, _, rest = text.partition(BEGIN)
    _, marker, after = rest.partition(END)
    assert marker, f"{PAGE.name} lacks {BEGIN!r} or {END!r}"
    if not runs:
        return f"{before}{BEGIN}\nNo run is recorded yet.\n\n{END}{after}"
    return f"{before}{BEGIN}\n{table(COLUMNS, map(_cells, runs))}\n{END}{after}"


def _cells(run: dict[str, Any]) -> list[str]:
    passed = ", ".join(f"{count} of `{file}`" for file, count in run["passed"].items())
    made = f"`{run['commit']}`, {run['date']}"
    return [run["kubernetes"], run["helm"], run["postgresql"], run["mlflow"], passed, made]


def _minor(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")[:2]))


if __name__ == "__main__":
    PAGE.write_text(with_runs(PAGE.read_text(), read()))
