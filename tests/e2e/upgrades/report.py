"""`python -m e2e.upgrades.report [RECORDS]`: write docs/upgrades.md from docs/upgrades.json.

RECORDS is a file with an outcome on each line, as MLFLOW_FAULTS_RECORD names one; its outcomes replace those
of the same tests in docs/upgrades.json first.
"""

import json
import shlex
import sys
from typing import Any

from mlflowops.paths import REPO

from e2e.faults import report

RESULTS = REPO / "docs/upgrades.json"
PAGE = REPO / "docs/upgrades.md"
HEAD = """\
# Upgrade matrix

Results of each upgrade from a released chart, and of each way back, for clients under load.
`python -m e2e.upgrades.report` generates this page from [upgrades.json](upgrades.json), which `make upgrades`
writes.

{summary}

A release has two server pods, an autoscaler, an Ingress, a NetworkPolicy, backups and a retention. While its
chart changes, the six writers and three readers of [the fault tests](reliability.md) use it, without retries.
Afterwards a check finds that

- all acknowledged data can be read: **lost** writes are missing, **doubled** writes exist twice;
- all earlier runs, model versions and artifacts are unchanged;
- each object of the release equals that of a first installation of the same chart, and no other is left;
- no container of a server pod has restarted.

**refused** requests had another status than 200, or no answer. Only 503 is allowed: the server answers it
while all its threads are busy, and MLflow's client retries it.

Argo CD applies the rendered chart as `kubectl apply` does, and deletes objects that the chart no longer has.
With `ServerSideApply=true` it applies as `--server-side --force-conflicts` does; so do Kustomizations of
Flux. A HelmRelease of Flux is an upgrade by Helm. Before Argo CD or Flux takes over a release of Helm, the
fields of Helm are [handed over](upgrading.md#from-helm-to-argo-cd-or-flux).

`make upgrades` runs all of them.

"""
COLUMNS = ("from", "to", "by", "requests", "lost", "doubled", "refused", "slowest", "pause", "took",
           "repeat with", "commit, date")  # fmt: skip


def outcomes() -> list[dict[str, Any]]:
    """The committed outcomes, in the order of the page."""
    return report.read(RESULTS)


def merged(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Old outcomes with new ones in the place of those of the same step of a test, sorted by both."""
    steps = {(each["test"], each["step"]): each for each in [*old, *new]}
    return [steps[step] for step in sorted(steps)]


def summary(found: list[dict[str, Any]]) -> str:
    """The page in one sentence."""
    return (
        "{faults} upgrades and ways back, {writes} acknowledged writes: {lost} lost, {doubled} doubled. "
        "In {served} of them no request was refused."
    ).format(**report.figures(found))


def page(found: list[dict[str, Any]]) -> str:
    """The text of the page."""
    return HEAD.format(summary=summary(found)) + report.table(COLUMNS, map(_cells, found))


def _cells(each: dict[str, Any]) -> list[str]:
    refused = ", ".join(f"{count} {status}" for status, count in sorted(each["refused"].items()))
    cells = [
        each["before"], each["after"], each["way"], f"{each['requests']:,}", len(each["lost"]),
        len(each["doubled"]), refused or 0, f"{each['slowest']:.1f} s", f"{each['pause']:.1f} s",
        f"{each['lasted']:.0f} s", f"`make upgrades ONLY={shlex.quote(each['test'])}`",
        f"`{each['commit']}`, {each['date']}",
    ]  # fmt: skip
    return [*map(str, cells)]


def write(records: list[dict[str, Any]]) -> None:
    """Merge outcomes into the results; write them and the page."""
    found = merged(outcomes(), records)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    PAGE.write_text(page(found))


if __name__ == "__main__":
    write(report.given(sys.argv[1:]))
