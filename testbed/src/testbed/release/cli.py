"""`testbed release`: what `make release` and the workflow `release` run."""

from pathlib import Path
from typing import Annotated

import typer
from mlflowops import console
from mlflowops.errors import OpsError

from testbed import paths
from testbed.release import building, commit, keeping, publishing, released_images
from testbed.release.registry import Registry
from testbed.release.signer import Signer

app = typer.Typer(help="Build, publish and sign a release.", no_args_is_help=True)

Repository = Annotated[Path, typer.Option(help="The clone whose commit is released.")]
Images = Annotated[list[str] | None, typer.Option("--image", help="Instead of those of images.toml.")]


@app.command()
def build(repository: Repository = paths.REPO) -> None:
    """Build the chart, the wheel and its SBOM, provenance and checksums into dist/<version>."""
    found = commit.read(repository)
    folder = _folder(found)
    building.build(found, folder)
    console.out.print(f"{folder}")


@app.command(name="images")
def images_(repository: Repository = paths.REPO, image: Images = None) -> None:
    """Build images and their SBOMs into dist/<version>/images, for the processor type of this machine."""
    found = commit.read(repository)
    released_images.build(found, _folder(found) / "images", image or released_images.names())


@app.command()
def keep(repository: Repository = paths.REPO) -> None:
    """Tag the commit, and keep the packaged chart in tests/e2e/released, from which tests upgrade."""
    found = commit.read(repository)
    keeping.keep(found, _folder(found))
    console.err.print(keeping.NEXT, soft_wrap=True)


@app.command()
def publish(
    registry: Annotated[str, typer.Argument(help="Such as ghcr.io/owner.")],
    key: Annotated[Path | None, typer.Option(help="Private key; else a workflow's identity.")] = None,
    repository: Repository = paths.REPO,
) -> None:
    """Push what `build` made, sign and attest it, and write dist/<version>/notes.md. What is there stays."""
    found = commit.read(repository)
    folder = _folder(found)
    if not (folder / building.SUMS).exists():
        raise OpsError(
            "release", f"{folder} has no build of this version", "run `testbed release build` first"
        )
    publishing.publish(found, folder, Registry(registry.rstrip("/")), Signer(key))
    console.out.print(f"{folder / 'notes.md'}")


def _folder(of: commit.Source) -> Path:
    return of.repository / "dist" / of.version
