"""tools.toml, read and checked."""

import functools
from pathlib import Path
from typing import Any

import tomllib
from mlflowops.errors import OpsError

from testbed import paths
from testbed.tools.apt import Apt
from testbed.tools.go import GoInstall, GoModule
from testbed.tools.manifests import GoManifests
from testbed.tools.npm import NpmBinary
from testbed.tools.patched import GoPatched
from testbed.tools.pypi import PypiBinary
from testbed.tools.tool import Tool

KINDS: dict[str, type[Tool]] = {
    "go-install": GoInstall,
    "go-module": GoModule,
    "go-patched": GoPatched,
    "go-manifests": GoManifests,
    "pypi-binary": PypiBinary,
    "npm-binary": NpmBinary,
    "apt": Apt,
}


def tool(name: str) -> Tool:
    """Return one entry of tools.toml."""
    if name not in tools():
        raise OpsError(f"tool {name!r}", "there is none of that name", f"choose from {', '.join(tools())}")
    return tools()[name]


@functools.cache
def tools() -> dict[str, Tool]:
    """Return all entries of tools.toml by name."""
    return read(paths.BED / "tools.toml")


def read(file: Path) -> dict[str, Tool]:
    """Read a file like tools.toml: a table per group, in it a table per tool."""
    content = tomllib.loads(file.read_text())
    go = content.pop("go", "")
    entries = [
        _entry(file.name, group, name, fields, go)
        for group, members in content.items()
        for name, fields in members.items()
    ]
    return {entry.name: entry for entry in entries}


def _entry(file: str, group: str, name: str, fields: dict[str, Any], go: str) -> Tool:
    kind = fields.pop("kind", "")
    if kind not in KINDS:
        wrong = f"kind {kind!r} is not known"
        raise OpsError(f"{file}, {group}.{name}", wrong, f"use one of {', '.join(KINDS)}")
    if kind.startswith("go-"):
        fields["go"] = go
    filled = {key: _filled(value, fields.get("version", "")) for key, value in fields.items()}
    try:
        return KINDS[kind](name=name, group=group, **filled)
    except TypeError as error:  # a field is missing or not known: Python's own words name it
        wrong = str(error).split(") ")[-1]
        raise OpsError(f"{file}, {group}.{name}", wrong, f"see the other {kind} entries") from error


def _filled(value: Any, version: str) -> Any:
    """Write the version where a text says {version}; lists become tuples."""
    if isinstance(value, list):
        return tuple(_filled(each, version) for each in value)
    return value.replace("{version}", version)
