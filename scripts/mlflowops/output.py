"""The --output option of commands that answer people and machines."""

from enum import Enum
from typing import Annotated

import typer


class Output(str, Enum):
    """Form of the answer on stdout."""

    table = "table"
    json = "json"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Output format.")]
