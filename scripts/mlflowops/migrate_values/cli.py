"""`mlflowops migrate-values`: what the command line prints."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from mlflowops.console import err
from mlflowops.errors import OpsError
from mlflowops.migrate_values.result import Result
from mlflowops.migrate_values.translate import Peer, translate


def migrate_values(
    file: Annotated[Path, typer.Argument(metavar="OLD.yaml", help="Values of the other chart.")],
    peer: Annotated[Peer, typer.Option("--from", help="Chart of the values, or Open Data Hub's operator.")],
) -> None:
    """Translate values of another MLflow chart into values of this chart.

    The output begins with comments: keys that were not translated, and commands that create Secrets.
    stderr has them too. The command never prints a password; write yours into the commands.
    For Open Data Hub, OLD.yaml is the MLflow resource.

        mlflowops migrate-values --from community old.yaml > values-new.yaml
    """
    result = _translated(peer, file)
    notes = _notes(result)
    for note in notes:
        err.print(note, highlight=False, soft_wrap=True)
    for note in notes:
        print(f"# {note}")
    print(yaml.safe_dump(result.values, sort_keys=True, width=1000), end="")


def _translated(peer: Peer, file: Path) -> Result:
    try:
        return translate(peer, _read(file))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        wrong = f"holds a value of another form than the {peer.value} chart takes"
        raise OpsError(str(file), wrong, "try it with that chart first") from error


def _read(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text())
    except OSError as error:
        raise OpsError(str(file), f"cannot be read, {error.strerror}", "name a file with values") from error
    except yaml.YAMLError as error:
        raise OpsError(str(file), "is not YAML", "name a file with values") from error
    if values is None or values == {}:
        raise OpsError(str(file), "holds no values", "name a file with values")
    if not isinstance(values, dict):
        raise OpsError(str(file), "is not a mapping", "name a file with values")
    return values


def _notes(result: Result) -> list[str]:
    left = [f"{path}: is not translated; {instead}." for path, instead in sorted(result.left.items())]
    return left + [f"Create the Secret: {command}" for command in result.commands()]
