"""The CycloneDX list of what the wheel needs: each package at the version that the tests ran with."""

from datetime import datetime, timezone
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from testbed.release.commit import Source
from testbed.release.identity import serial_number, sha256

PROJECT = "mlflowops"


def write(source: Source, file: Path) -> str:
    """List a wheel and its requirements, as they are installed beside the running program.

    Args:
        source: the commit of the release.
        file: the wheel.

    Returns:
        CycloneDX 1.6 as JSON. The same input gives the same text.
    """
    digest = sha256(file)
    wheel = Component(
        name=PROJECT,
        version=source.version,
        type=ComponentType.APPLICATION,
        bom_ref=PROJECT,
        purl=PackageURL("pypi", name=PROJECT, version=source.version),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
    )
    date = datetime.fromtimestamp(source.date, timezone.utc)
    bom = Bom(metadata=BomMetaData(component=wheel, timestamp=date), serial_number=serial_number(digest))
    _add(bom, wheel, next(iter(distributions(path=[str(file)]))), frozenset(), set())
    return str(JsonV1Dot6(bom).output_as_string(indent=2)) + "\n"


def _add(bom: Bom, component: Component, of: Distribution, extras: frozenset[str], known: set[Any]) -> None:
    """Add what a package requires, and what those require; `known` are those that were added."""
    needed = []
    for name, wanted in _requirements(of, extras):
        found = _component(name)
        needed.append(found)
        if (name, wanted) not in known:
            known.add((name, wanted))
            bom.components.add(found)
            _add(bom, found, distribution(name), wanted, known)
    bom.register_dependency(component, needed)


def _requirements(of: Distribution, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    """Return name and extras of each requirement that holds here and that is installed."""
    found = []
    for requirement in map(Requirement, of.requires or ()):
        holds = not requirement.marker or any(
            requirement.marker.evaluate({"extra": extra}) for extra in extras or {""}
        )
        if holds and _installed(requirement.name):
            found.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return sorted(found, key=lambda each: (each[0], sorted(each[1])))


def _installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _component(name: str) -> Component:
    version = distribution(name).version
    purl = PackageURL("pypi", name=name, version=version)
    return Component(name=name, version=version, bom_ref=f"{name}=={version}", purl=purl)
