"""Builds images with a single static program, which need no Dockerfile and no root file system."""

from mlflowops.errors import OpsError

from testbed import tools
from testbed.archives import scratch_image
from testbed.images import Image
from testbed.images.recipes import PREFIX, config


def build(group: str) -> list[Image]:
    """The images of a group; what was written before is used again."""
    groups = config()["programs"]
    if group not in groups:
        raise OpsError("images", f"there is no group {group!r}", f"choose from {', '.join(groups)}")
    return [_image(program) for program in groups[group]]  # one by one: Go uses all cores already


def ref(program: str) -> str:
    """The name of its image: the tag is the version in tools.toml."""
    return f"{PREFIX}/{program}:{tools.tool(program).version}"


def _image(program: str) -> Image:
    return Image(program, ref(program), scratch_image.archive(program, ref(program)))
