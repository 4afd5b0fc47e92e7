"""Each released chart becomes this tree's and goes back, by each way that people deploy it, under load."""

from functools import partial
from pathlib import Path

import pytest
from released_charts import ARCHIVES, version

from e2e.faults.release import Release
from e2e.faults.tasks import BUSY
from e2e.kube import Kube
from e2e.upgrades import kept, objects
from e2e.upgrades.place import Place
from e2e.upgrades.upgrade import Upgrade
from e2e.upgrades.ways import WAYS


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("archive", ARCHIVES, ids=version)
def test_upgrade(kube: Kube, place: Place, archive: Path, name: str) -> None:
    """No request is refused, all data is kept, and the objects are those of a first installation."""
    said, make = WAYS[name]
    way, release = make(place, archive), Release(kube, place.namespace)
    way.install()
    kept.write(place, "before")
    for step, (happen, chart) in enumerate(((way.upgrade, way.chart), (way.back, archive)), 1):
        before, old, new = kept.read(place), deployed(kube, place), version(chart)
        kind = partial(Upgrade, step=step, before=old, after=new, way=said)
        outcome = release.under_load(f"{old} becomes {new} by {said}", happen, kind=kind)
        assert set(outcome.refused) <= BUSY
        assert outcome.restarts == 0
        assert deployed(kube, place) == new
        after = kept.read(place)
        assert {each: after.get(each) for each in before} == before
        assert objects.live(place) == objects.fresh(place, way.manifest())
        kept.write(place, f"with {new}")


def deployed(kube: Kube, place: Place) -> str:
    """Return the version of the chart of the server's Deployment."""
    deployment = kube.apps.read_namespaced_deployment("mlflow", place.namespace)
    return str(deployment.metadata.labels["helm.sh/chart"]).removeprefix("mlflow-")
