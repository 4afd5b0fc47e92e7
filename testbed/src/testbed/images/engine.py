"""Builds images with docker or podman."""

from pathlib import Path

from mlflowops import shell

from testbed.images import client_config
from testbed.images.recipes import LABEL, Recipe


def build(engine: str, image: Recipe, archive: Path, work: Path, log: Path) -> None:
    """Build an image and save it to `archive`. The images that it stands on must be there."""
    command: list[str | Path] = [engine, "build", "--tag", image.ref, f"--build-arg=VERSION={image.tag}"]
    command.append(f"--label={LABEL}={image.digest}")
    for arg, base in image.args:
        if isinstance(base, Recipe):
            shell.run([engine, "load", "--input", base.archive], log=log)
            command.append(f"--build-arg={arg}={base.ref}")
    env = {"DOCKER_BUILDKIT": "1"}
    shell.run([*command, *client_config.secrets(work), image.context(work)], env=env, log=log)
    form = ["--format=docker-archive"] if engine == "podman" else []
    shell.run([engine, "save", *form, "--output", archive, image.ref], log=log)
