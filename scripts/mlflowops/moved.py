"""Commands that moved to the test bed: for one release they name the new command."""

import typer

from mlflowops.errors import OpsError

MOVED = ("up", "down", "cluster", "images", "tools", "platform")


def moved(arguments: typer.Context) -> None:
    """Fail with the name of the new command."""
    command = " ".join([str(arguments.info_name), *arguments.args])
    raise OpsError(
        str(arguments.info_name), "this command moved to the test bed", f"type `testbed {command}`"
    )
