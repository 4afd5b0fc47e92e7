"""The list of what is in the server image, which a release attaches to it, has every package."""

import json
import re

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name
from release.packages import debian_packages
from testbed.release import image_sbom

from testbed import container_engine
from testbed.images import Image, recipes


@pytest.fixture(scope="module")
def sbom(built: dict[str, Image]) -> str:
    return image_sbom.write(built["mlflow"].archive, "mlflow", "3.0.0-9.9.9", 0)


def packages(sbom: str, kind: str) -> dict[str, str]:
    """Name and version of each package of a kind, by its address."""
    found = [
        each for each in json.loads(sbom)["components"] if each.get("purl", "").startswith(f"pkg:{kind}/")
    ]
    return {each["name"]: each["version"] for each in found}


def test_every_locked_python_package_is_in_it(sbom: str) -> None:
    lock = (recipes.FOLDER / "mlflow/requirements.lock").read_text()
    locked = dict(re.findall(r"(?m)^([\w.-]+)==(\S+)", lock))
    found = {canonicalize_name(name): version for name, version in packages(sbom, "pypi").items()}
    assert {name: found.get(name) for name in locked} == locked


def test_every_debian_package_is_in_it(built: dict[str, Image], sbom: str) -> None:
    found = packages(sbom, "deb")
    assert {"libc6", "ca-certificates"} <= set(found)
    # Without a container engine the base is ours, whose own list is in files of one package each.
    if not container_engine.running():
        listed = debian_packages(built["mlflow"].archive)
        assert {name: found.get(name) for name in listed} == listed and "python3.13" in listed


def test_it_is_valid_and_about_this_image(built: dict[str, Image], sbom: str) -> None:
    found = json.loads(sbom)
    assert JsonStrictValidator(SchemaVersion.from_version(found["specVersion"])).validate_str(sbom) is None
    assert found["metadata"]["component"]["name"] == "mlflow"
    assert found["metadata"]["component"]["version"] == "3.0.0-9.9.9"
