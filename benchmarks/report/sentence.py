"""The sentence about speed and memory in the READMEs, from the results."""

import re
from typing import Any

from mlflowops.paths import REPO

from benchmarks.report.digits import number
from benchmarks.report.figures import figures
from benchmarks.report.verdicts import OURS, THEIRS

SENTENCES = {
    "README.md": (
        "- **Fast and small.** {get} times the `get run` calls and {batch} times the `log-batch`\n"
        "  calls per second of the official chart, with 1/{memory}\n"
        "  of its idle memory: [measured side by side](docs/performance.md)."
    ),
    "README.es.md": (
        "- **Rápido y pequeño.** {get} veces las llamadas `get run` y {batch} veces las\n"
        "  llamadas `log-batch` por segundo del chart oficial,\n"
        "  con 1/{memory} de su memoria en reposo: [medido lado a lado](docs/performance.md)."
    ),
}


def ratios(data: dict[str, Any]) -> dict[str, str]:
    """Return the three ratios: calls per second at 8 clients, and idle memory of all pods."""
    rates = {
        call.name: peers[OURS].per_second / peers[THEIRS].per_second
        for call, peers in figures(data).items()
        if (call.runs, call.clients) == (1000, 8) and {OURS, THEIRS} <= peers.keys()
    }
    memory = data["pods"][THEIRS]["all_mib"] / data["pods"][OURS]["all_mib"]
    values = {"get": rates["get run"], "batch": rates["log batch of 20"], "memory": memory}
    return {name: number(value) for name, value in values.items()}


def write_sentences(data: dict[str, Any]) -> None:
    """Put the ratios into the sentences of the READMEs."""
    found = ratios(data)
    for name, sentence in SENTENCES.items():
        text = (REPO / name).read_text()
        old = re.escape(sentence)
        for ratio in found:
            old = old.replace(re.escape(f"{{{ratio}}}"), "[0-9.,]+")
        new, count = re.subn(old, lambda _, sentence=sentence: sentence.format(**found), text)
        if count != 1:
            raise ValueError(f"{name} has the sentence {count} times")
        (REPO / name).write_text(new)
