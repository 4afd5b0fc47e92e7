"""The platform is a switch of helmfile's, off by default."""

import pytest

from helmfile.helmfile import ENVIRONMENTS, Helmfile, objects
from testbed import platform_parts

ON = ("--state-values-set", platform_parts.STATE)


def releases(helmfile: Helmfile, environment: str, *options: str) -> dict[str, str]:
    """Each release that would be installed, and its namespace."""
    done = helmfile("--environment", environment, *options, "list", "--output", "json")
    assert done.returncode == 0, done.stderr
    (listed,) = objects(done.stdout)
    return {each["name"]: each["namespace"] for each in listed if each["enabled"]}  # type: ignore[index]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_it_is_off(helmfile: Helmfile, environment: str) -> None:
    assert not releases(helmfile, environment).keys() & platform_parts.PARTS.keys()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_one_switch_adds_every_part(helmfile: Helmfile, environment: str) -> None:
    before, after = releases(helmfile, environment), releases(helmfile, environment, *ON)
    assert after == {**before, **{part: part for part in platform_parts.PARTS}}


def test_a_template_asks_no_cluster(helmfile: Helmfile) -> None:
    """The hook runs for it too, and must leave the API server alone."""
    done = helmfile("--environment", "local", *ON, "--selector", "name=traefik", "template")
    assert done.returncode == 0, done.stderr
    assert "IngressClass" in {item["kind"] for item in objects(done.stdout)}
