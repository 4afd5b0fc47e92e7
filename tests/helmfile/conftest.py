"""What the tests of the helmfile share."""

import pytest

from helmfile.helmfile import ENVIRONMENTS, Helmfile, Json


@pytest.fixture(scope="session")
def helmfile(tmp_path_factory: pytest.TempPathFactory) -> Helmfile:
    return Helmfile(tmp_path_factory.mktemp("nowhere"))


@pytest.fixture(scope="session")
def rendered(helmfile: Helmfile) -> dict[str, list[Json]]:
    """The objects of every environment."""
    return {name: helmfile.render(name) for name in ENVIRONMENTS}
