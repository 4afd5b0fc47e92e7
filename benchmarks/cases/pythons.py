"""What the Python of the image changes: MLflow's own code, so a server without fast paths."""

from dataclasses import replace

from benchmarks.cases import reads, writes

CALLS = ("get run", "create run", "log batch of 20", "search 100 runs", "registered models")

CASES = tuple(
    replace(case, group="python", clients={8: "python"}, seconds=5, rounds=3)
    for case in (*writes.CASES, *reads.CASES)
    if case.name in CALLS
)
