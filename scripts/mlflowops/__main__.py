"""Runs the command line: `python -m mlflowops`."""

from mlflowops.cli import main

main()
