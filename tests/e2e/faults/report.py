"""`python -m e2e.faults.report [RECORDS]`: write docs/reliability.md from docs/reliability.json.

RECORDS is a file with an outcome on each line, as MLFLOW_FAULTS_RECORD names one; its outcomes replace those
of the same tests in docs/reliability.json first. The READMEs get the page's sentence.
"""

import json
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
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

Results of faults for clients under load. `python -m e2e.faults.report` generates this page from
[reliability.json](reliability.json), which `make faults` writes.

{summary}

During a fault, six writers and three readers use a release with two server pods, on the cluster of
[the test bed](../testbed/cluster/README.md). They create runs, log metrics, params, tags and batches, upload
artifacts through the server and register model versions, without retries. Afterwards a check reads all
acknowledged data: each run, metric point, param, tag, artifact byte and model version.

- **lost**: acknowledged writes that are missing at the end, or were missing when a client read them;
  **doubled**: acknowledged writes that exist twice.
- **refused**: requests without an answer, or with another status than 200. MLflow's client retries requests
  with status 429, 500, 502, 503 or 504; these clients do not.
- **slowest**: the longest time of an answer; clients time out after 60 s.
- **pause**: the longest time without an acknowledged write to the database; empty if it was not measured.
- **recovery**: the time from the end of the fault to the last refused request.
- **restarts**: restarts of server containers, except in deleted pods.

"""
COLUMNS = ("fault", "result for clients", "lost", "doubled", "refused", "slowest", "pause", "recovery",
           "restarts", "repeat with", "commit, date")  # fmt: skip


def read(results: Path = RESULTS) -> list[dict[str, Any]]:
    """The committed outcomes, in the order of the page."""
    return list(json.loads(results.read_text())) if results.exists() else []


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
    return HEAD.format(summary=summary(outcomes)) + table(COLUMNS, map(_cells, outcomes))


def table(columns: Sequence[str], rows: Iterable[list[str]]) -> str:
    """A table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in lines)


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


def given(arguments: list[str]) -> list[dict[str, Any]]:
    """The outcomes of the file that a command line names, or none."""
    lines = Path(arguments[0]).read_text().splitlines() if arguments else []
    return [json.loads(line) for line in lines]


if __name__ == "__main__":
    write(given(sys.argv[1:]))
