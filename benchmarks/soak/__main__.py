"""`python -m benchmarks.soak`: keep a release busy for a long time, on the cluster of `make up`."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.record import Record
from benchmarks.soak.soak_page import LATEST_SOAK, lines, write_soak
from benchmarks.soak.soak_run import Soak
from testbed.cluster import DEFAULT_NAME, current

SECTIONS: dict[str, list[object]] = {"samples": [], "windows": [], "rollouts": []}


def soak(
    minutes: Annotated[float, typer.Option(help="Minutes under load.", min=1, max=1440)] = 30,
    output: Annotated[Path, typer.Option(help="The file of the series.")] = LATEST_SOAK,
    note: Annotated[str, typer.Option(help="A sentence for the top of the page.")] = "",
) -> None:
    """Keep a release at 70 % of its capacity, write the series, and print what became of it."""
    kubeconfig = current(os.environ.get("MLFLOWOPS_CLUSTER", DEFAULT_NAME)).kubeconfig
    if not kubeconfig.exists():
        raise typer.BadParameter("there is no cluster; run `make up` first.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the namespace is removed
    os.environ["KUBECONFIG"] = str(kubeconfig)
    record = Record(output, note, sys.argv[1:])
    record.data = {key: record.data[key] for key in COMMON} | {"minutes": minutes, **SECTIONS}
    Soak(kubeconfig, record, minutes)()
    if output == LATEST_SOAK:
        write_soak()
    for line in lines(record.data):
        print(line)
    sys.exit(bool(record.data["errors"] or record.data["restarts"] or record.data["lost"]))


COMMON = ("date", "commit", "note", "machine", "mlflow", "seconds", "failures")

if __name__ == "__main__":
    typer.run(soak)
