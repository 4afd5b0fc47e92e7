"""`python -m benchmarks.report`: write docs/performance.md from the results."""

import typer

from benchmarks.report.page import write

if __name__ == "__main__":
    typer.run(write)
