"""Commands that are the test bed's now. They name their new command for one release, and do nothing."""

import typer

from mlflowops.errors import OpsError

MOVED = ("up", "down", "cluster", "images", "tools", "platform")


def moved(arguments: typer.Context) -> None:
    """Say what to type instead."""
    command = " ".join([str(arguments.info_name), *arguments.args])
    raise OpsError(
        str(arguments.info_name), "this command moved to the test bed", f"type `testbed {command}`"
    )
