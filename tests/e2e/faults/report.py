"""`python -m e2e.faults.report [RECORDS]`: write docs/reliability.md from docs/reliability.json.

RECORDS is a file with an outcome on each line, as MLFLOW_FAULTS_RECORD names one; its outcomes replace those
of the same tests in docs/reliability.json first. The READMEs get the page's sentence.
"""

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from mlflowops.paths import REPO

RESULTS = REPO / "docs/reliability.json"
PAGE = REPO / "docs/reliability.md"
SENTENCES = {
    "README.md": "{faults} faults, {writes} acknowledged writes: {lost} lost,\n  {doubled} doubled (",
    "README.es.md": "{faults} fallos, {writes} escrituras confirmadas:\n"
    "  {lost} perdidas, {doubled} duplicadas (",
}
"""Of the page's summary, in the READMEs."""
HEAD = """\
# Reliability

What people saw of each fault. This page is made by `python -m e2e.faults.report` from
[reliability.json](reliability.json), which `make faults` writes.

{summary}

While a fault happens, six writers and three readers use a release with two server pods, on the cluster of
[the test bed](../testbed/cluster/README.md). They make runs, log metrics, params, tags and batches, upload
artifacts through the server and register model versions, and never send a request again. Afterwards a check
reads back all that was acknowledged: each run, metric point, param, tag, artifact byte and model version.

- **lost**: acknowledged, and not there at the end, or not there when a client read it; **doubled**: there
  twice.
- **refused**: requests with another answer than 200, or without one. MLflow's client repeats a request that
  is answered 429, 500, 502, 503 or 504; these people do not.
- **slowest**: of all answers; a client gives up after 60 s.
- **pause**: the longest time in which no write to the database was acknowledged; empty where it was
  not measured.
- **recovery**: from the end of the fault to the last refused request.
- **restarts**: of the server's containers, other than in pods that were deleted.

"""
COLUMNS = ("fault", "what people saw", "lost", "doubled", "refused", "slowest", "pause", "recovery",
           "restarts", "repeat with", "commit, date")  # fmt: skip


def read() -> list[dict[str, Any]]:
    """The committed outcomes, in the order of the page."""
    return list(json.loads(RESULTS.read_text())) if RESULTS.exists() else []


def merged(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Old outcomes with new ones in the place of those of the same test, sorted by fault."""
    return sorted({each["test"]: each for each in [*old, *new]}.values(), key=lambda each: each["fault"])


def figures(outcomes: list[dict[str, Any]]) -> dict[str, str]:
    """The sums that the page and the READMEs state."""
    sums = {
        "faults": len(outcomes),
        "writes": sum(each["acknowledged"] for each in outcomes),
        "lost": sum(len(each["lost"]) for each in outcomes),
        "doubled": sum(len(each["doubled"]) for each in outcomes),
        "served": sum(not each["refused"] for each in outcomes),
    }
    return {name: f"{number:,}" for name, number in sums.items()}


def summary(outcomes: list[dict[str, Any]]) -> str:
    """The page in two sentences."""
    return (
        "{faults} faults, {writes} acknowledged writes: {lost} lost, {doubled} doubled. "
        "In {served} of the faults no request was refused."
    ).format(**figures(outcomes))


def with_sentence(name: str, text: str, outcomes: list[dict[str, Any]]) -> str:
    """The text of a README with the figures of these outcomes."""
    sentence = SENTENCES[name]
    pattern = re.sub(r"\\{\w+\\}", "[0-9,]+", re.escape(sentence))
    found, count = re.subn(pattern, sentence.format(**figures(outcomes)), text)
    assert count == 1, f"{name} lacks the sentence of {PAGE.name}"
    return found


def page(outcomes: list[dict[str, Any]]) -> str:
    """The text of the page."""
    rows = [COLUMNS, ["---"] * len(COLUMNS), *map(_cells, outcomes)]
    return HEAD.format(summary=summary(outcomes)) + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cells(each: dict[str, Any]) -> list[str]:
    cells = [
        each["fault"], each["saw"], len(each["lost"]), len(each["doubled"]), sum(each["refused"].values()),
        f"{each['slowest']:.1f} s", f"{each['pause']:.1f} s" if "pause" in each else "",
        f"{each['recovery']:.1f} s", each["restarts"],
        f"`make faults ONLY={shlex.quote(each['test'])}`", f"`{each['commit']}`, {each['date']}",
    ]  # fmt: skip
    return [*map(str, cells)]


def write(records: list[dict[str, Any]]) -> None:
    """Merge outcomes into the results; write them, the page, and the sentence of the READMEs."""
    outcomes = merged(read(), records)
    RESULTS.write_text(json.dumps(outcomes, indent=1) + "\n")
    PAGE.write_text(page(outcomes))
    for name in SENTENCES:
        path = REPO / name
        path.write_text(with_sentence(name, path.read_text(), outcomes))


if __name__ == "__main__":
    lines = Path(sys.argv[1]).read_text().splitlines() if len(sys.argv) > 1 else []
    write([json.loads(line) for line in lines])
