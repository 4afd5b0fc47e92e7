"""`testbed images`: lists and builds the images of the cluster."""

from dataclasses import asdict
from typing import Annotated

import typer
from mlflowops import console
from mlflowops.errors import OpsError
from mlflowops.output import Output, OutputOption

from testbed import images
from testbed.images import programs

app = typer.Typer(help="Build our container images and find their archives.", no_args_is_help=True)


@app.command()
def build(
    names: Annotated[list[str] | None, typer.Argument(help="Images to build; all without one.")] = None,
    group: Annotated[
        str, typer.Option(help="The images of a group of programs instead: platform, login.")
    ] = "",
) -> None:
    """Build images that are not built yet and print `<ref> <archive>` for each."""
    if names and group:
        raise OpsError("images", "both names and a --group are given", "give one of them")
    for image in programs.build(group) if group else images.build(names or []):
        print(image.ref, image.archive)


@app.command("list")
def list_(output: OutputOption = Output.table) -> None:
    """Show every image, its archive, and whether it is built."""
    known = images.known()
    if output is Output.json:
        console.as_json([asdict(image) | {"built": there} for image, there in known])
        return
    rows = []
    for image, there in known:
        size = f"{image.archive.stat().st_size / 1e6:.0f} MB" if there else "not built"
        rows.append((image.name, image.ref, size, str(image.archive)))
    console.table(("image", "ref", "size", "archive"), rows)
