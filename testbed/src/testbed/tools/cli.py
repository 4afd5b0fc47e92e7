"""`testbed tools`: install and list the binaries of tools.toml."""

from typing import Annotated, Any

import typer
from mlflowops import console
from mlflowops.output import Output, OutputOption

from testbed.tools import bin_dir, ensure, tools
from testbed.tools.tool import Tool

app = typer.Typer(help="The pinned binaries of tools.toml.", no_args_is_help=True)

DEFAULT_GROUPS = ["deploy", "test", "release"]


@app.command()
def install(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="All of a group; may be repeated.")] = None,
) -> None:
    """Install binaries: those named, those of the groups named, else the groups deploy, test and release."""
    groups = group or ([] if names else DEFAULT_GROUPS)
    unknown = set(groups) - {each.group for each in tools().values()}
    if unknown:
        raise typer.BadParameter(f"no group {', '.join(unknown)} in tools.toml")
    for name in [*(names or []), *(each.name for each in tools().values() if each.group in groups)]:
        ensure(name)


@app.command()
def path() -> None:
    """Print the folder of the binaries: export PATH="$(testbed tools path):$PATH"."""
    missing = [each.name for each in tools().values() if each.group in DEFAULT_GROUPS and not each.find()]
    if missing:
        console.err.print(f"not there yet: {', '.join(missing)}; run `testbed tools install`", style="yellow")
    print(bin_dir())


@app.command(name="list")
def list_(output: OutputOption = Output.table) -> None:
    """Show every tool: its version, whether it is here, where it comes from."""
    rows = [_row(each) for each in tools().values()]
    if output is Output.json:
        console.as_json(rows)
    else:
        console.table(["name", "version", "group", "state", "from"], [list(row.values())[:5] for row in rows])


def _row(each: Tool) -> dict[str, Any]:
    found = each.find()
    state = "installed" if found else "absent"
    return {
        "name": each.name,
        "version": each.version,
        "group": each.group,
        "state": state,
        "from": each.origin,
        "path": found,
    }
