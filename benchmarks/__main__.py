"""`python -m benchmarks`: measure this chart beside what other charts run, on the cluster of `make up`."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.options import GROUPS, LATEST, USUAL, Options
from benchmarks.record import Record
from benchmarks.run import Run
from testbed.cluster import DEFAULT_NAME, current


def measure(
    only: Annotated[str, typer.Option(help=f"Groups of cases, of {','.join(GROUPS)}.")] = ",".join(USUAL),
    peers: Annotated[str, typer.Option(help="Peers, such as ours,official. Empty means all.")] = "",
    max_runs: Annotated[int, typer.Option(help="The largest experiment: 1000, 100000 or 1000000.")] = 10**6,
    rounds: Annotated[int, typer.Option(help="Slices per case and peer. 0 means what the case says.")] = 0,
    minutes: Annotated[float, typer.Option(help="No case begins after so many minutes.")] = 22,
    output: Annotated[Path, typer.Option(help="The file of the results.")] = LATEST,
    note: Annotated[str, typer.Option(help="A sentence for the top of the page.")] = "",
    mib: Annotated[int, typer.Option(help="Size of the large artifact.")] = 1024,
    keep: Annotated[bool, typer.Option(help="Leave the pods and databases.")] = False,
) -> None:
    """Measure, and write the results as JSON."""
    groups = tuple(only.split(","))
    if unknown := set(groups) - set(GROUPS):
        raise typer.BadParameter(f"no group {', '.join(sorted(unknown))}; choose from {', '.join(GROUPS)}.")
    names = tuple(peers.split(",")) if peers else ()
    options = Options(groups, names, max_runs, rounds, minutes, output, note, mib, keep)
    kubeconfig = current(os.environ.get("MLFLOWOPS_CLUSTER", DEFAULT_NAME)).kubeconfig
    if not kubeconfig.exists():
        raise typer.BadParameter("there is no cluster; run `make up` first.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # pods and databases are removed
    record = Record(output, note, sys.argv[1:])
    Run(options, record, kubeconfig)()
    record.say(f"wrote {output}; failures: {len(record.data['failures'])}")


if __name__ == "__main__":
    typer.run(measure)
