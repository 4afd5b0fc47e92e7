"""KServe's API as its own Python package has it, made from the types of its CRD, which no registry serves."""

import importlib
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes.client

from testbed import paths

LOCK = Path(__file__).with_name("kserve.lock")
UNTYPED = ("object", "datetime")


def problems(kind: str, value: Any, where: str = "") -> Iterator[str]:
    """What in a value is not as the type `kind` has it: fields that it does not know, and wrong scalars."""
    if kind.lower().startswith("list["):
        for number, each in enumerate(value):
            yield from problems(kind[5:-1], each, f"{where}[{number}]")
    elif kind.lower().startswith("dict"):  # dict(str, X) by KServe, Dict[str, X] by Kubernetes
        for key, each in value.items():
            yield from problems(kind[5:-1].split(", ")[1], each, f"{where}.{key}")
    elif kind in ("str", "int", "bool", "float"):
        if type(value).__name__ != kind:
            yield f"{where}: {value!r} is not {kind}"
    elif kind not in UNTYPED:
        yield from _fields(_model(kind), value, where)


def _fields(model: Any, value: dict[str, Any], where: str) -> Iterator[str]:
    known = {model.attribute_map[name]: kind for name, kind in model.openapi_types.items()}
    for key, each in value.items():
        if key not in known:
            yield f"{where}.{key}: {model.__name__} has no such field"
        else:
            yield from problems(known[key], each, f"{where}.{key}")


def _model(kind: str) -> Any:
    """KServe's own types, or Kubernetes'."""
    own = getattr(kubernetes.client, kind, None)
    if own:
        return own
    _install()
    letters = "".join(f"_{each.lower()}" if each.isupper() else each for each in kind).lstrip("_")
    return getattr(importlib.import_module(f"kserve.models.{letters}"), kind)


def _install() -> None:
    """Make kserve.models importable. The package's own __init__ would want all of KServe's servers."""
    if "kserve" in sys.modules:
        return
    folder = paths.cache("kserve", LOCK.read_text().split()[0])
    if not (folder / "kserve").exists():
        uv = Path(sys.executable).parent / "uv"
        words = ["pip", "install", "--quiet", "--no-deps", "--require-hashes", "--requirement", LOCK]
        subprocess.run([uv, *words, "--target", folder], check=True)
    for name in ("kserve", "kserve.models"):
        package = types.ModuleType(name)
        package.__path__ = [str(folder / name.replace(".", "/"))]
        sys.modules[name] = package
