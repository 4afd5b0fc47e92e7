"""Each way leaves the objects of a first installation. No pod is admitted, so this takes seconds."""

from dataclasses import replace
from pathlib import Path

import pytest
from released_charts import ARCHIVES, version

from e2e.kube import Kube
from e2e.upgrades import objects
from e2e.upgrades.apply_way import SERVER_SIDE, ApplyWay
from e2e.upgrades.place import Place
from e2e.upgrades.ways import WAYS


@pytest.fixture
def without_pods(kube: Kube, place: Place) -> Place:
    quota = {"metadata": {"name": "no-pods"}, "spec": {"hard": {"pods": "0"}}}
    kube.core.create_namespaced_resource_quota(place.namespace, quota)
    return replace(place, waits=False)


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("archive", ARCHIVES, ids=version)
def test_objects(without_pods: Place, archive: Path, name: str) -> None:
    way = WAYS[name][1](without_pods, archive)
    found = []
    for step in (way.install, way.upgrade, way.back):
        step()
        found.append(objects.live(without_pods))
        assert found[-1] == objects.fresh(without_pods, way.manifest())
    installed, upgraded, back = found
    assert installed == back != upgraded


def test_fields_that_helm_keeps_are_refused(without_pods: Place) -> None:
    """What docs/upgrading.md says of a controller that takes over without the fields of Helm."""
    way = ApplyWay(
        without_pods, ARCHIVES[0], options=(*SERVER_SIDE, "--force-conflicts"), installed_by="helm"
    )
    way.install()
    way.installed_by = ""
    with pytest.raises(AssertionError, match="may not specify more than 1 volume type"):
        way.upgrade()
