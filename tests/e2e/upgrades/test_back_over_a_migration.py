"""An upgrade that migrates the database, and the way back over the migration, as docs/upgrading.md says."""

import json
import os
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mlflowops.paths import REPO
from released_charts import ARCHIVES, version

from e2e.faults.release import Release
from e2e.faults.tasks import BUSY
from e2e.kube import Kube, eventually
from e2e.stores import Database
from e2e.up import run
from e2e.upgrades import kept
from e2e.upgrades.helm_way import HelmWay
from e2e.upgrades.place import Place
from e2e.upgrades.test_matrix import deployed
from e2e.upgrades.upgrade import Upgrade
from testbed import cluster, images

PAGE = (REPO / "docs/upgrading.md").read_text()
# What the page says of the way back, one command a line.
(BACK,) = re.findall(r"(?m)^mlflowops backup list .*\nhelm rollback .*\nmlflowops restore .*\n", PAGE)
(SENTENCE,) = re.findall(
    r"(?m)^    mlflow: schema: the database is at revision \.\.\., (.+)\.\.\. (does not.+)$", PAGE
)


class Serving(Release):
    """A release of which new pods may stop at their start."""

    def pods(self) -> list[Any]:
        """Return the pods that are Ready, as many as must serve."""

        def ready() -> list[Any]:
            pods = [each for each in self.kube.pods(self.namespace) if is_ready(each)]
            return pods if len(pods) >= self.replicas else []

        return list(eventually(ready, 120, f"{self.replicas} pods serve"))


def is_ready(pod: Any) -> bool:
    """Whether a pod is Ready and is not being deleted."""
    conditions = {each.type: each.status for each in pod.status.conditions or []}
    return not pod.metadata.deletion_timestamp and conditions.get("Ready") == "True"


class Migrated(HelmWay):
    """An older image for the released chart, and a backup before the migration for this one."""

    def __init__(self, place: Place, released: Path, older: dict[str, str]) -> None:
        super().__init__(place, released)
        self.older = older

    def install(self) -> None:
        newer, self.place.values["image"] = self.place.values["image"], self.older
        super().install()
        backup = {**self.place.values["backup"], "beforeMigration": True}
        self.place.values.update(image=newer, backup=backup)


@pytest.fixture
def older(kubeconfig: Path) -> dict[str, str]:
    """The values of an image whose MLflow has an older schema, after its way to the nodes."""
    [image] = images.build(["previous"])
    cluster.current(os.environ["MLFLOWOPS_CLUSTER"]).load([image.archive])
    repository, tag = image.ref.removeprefix("localhost/").split(":")
    return {"registry": "localhost", "repository": repository, "tag": tag, "pullPolicy": "Never"}


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("archive", ARCHIVES, ids=version)
def test_back_over_a_migration(
    kube: Kube, place: Place, database: Database, older: dict[str, str], archive: Path
) -> None:
    """Backup and migration, the stop of the old image, the restore, and the same upgrade again."""
    way, release = Migrated(place, archive, older), Release(kube, place.namespace)
    old, new, said = version(archive), version(way.chart), f"with a migration from MLflow {older['tag']}"
    way.install()
    kept.write(place, "before")
    before, revision = kept.read(place), database.revision()

    def upgrade(step: int) -> None:
        kind = partial(Upgrade, step=step, before=old, after=new, way=f"`helm upgrade`, {said}")
        outcome = release.under_load(f"{old} becomes {new} {said}", way.upgrade, kind=kind)
        assert set(outcome.refused) <= BUSY
        assert (deployed(kube, place), outcome.restarts) == (new, 0)
        assert database.revision() != revision
        assert "the database is migrated" in schema_logs(kube, place)

    upgrade(1)
    migrated = kept.read(place)
    assert {each: migrated.get(each) for each in before} == before
    kept.write(place, "since then")
    go_back(kube, place, old, new, said)
    assert deployed(kube, place) == old
    assert database.revision() == revision
    restored = kept.read(place)
    assert restored.items() >= before.items()
    assert "since then" not in restored and "before" in restored
    kept.write(place, "after the restore")
    upgrade(3)
    assert kept.read(place).items() >= restored.items()


def go_back(kube: Kube, place: Place, old: str, new: str, said: str) -> None:
    """Type the commands of the page; the new chart serves until the restore."""
    listing, rollback, restore = commands(place.namespace)
    listed = run(f"{listing} --output json", place.kubeconfig).stdout
    [backup] = json.loads(listed[listed.index("[") :])
    serving = Serving(kube, place.namespace)
    kind = partial(Upgrade, step=2, before=new, after=old, way=f"`helm rollback` alone, {said}")

    def roll_back() -> None:
        run(rollback, place.kubeconfig)
        eventually(lambda: all(part in schema_logs(kube, place) for part in SENTENCE), 120, "the sentence")

    outcome = serving.under_load(f"{new} goes back to {old} {said}, before the restore", roll_back, kind=kind)
    assert set(outcome.refused) <= BUSY
    run(f"{restore.replace('20261121T020000Z', backup['name'])} --yes", place.kubeconfig)
    Release(kube, place.namespace).pods()


def commands(namespace: str) -> list[str]:
    """Return the commands of the page for a namespace."""
    lines = [line.partition("#")[0].strip() for line in BACK.splitlines()]
    assert len(lines) == 3, lines
    return [line.replace(" -n ml", "") + f" --namespace {namespace}" for line in lines]


def schema_logs(kube: Kube, place: Place) -> str:
    """Return what the migration has said in all pods of the server."""
    pods = kube.pods(place.namespace)
    return "".join(kube.logs(place.namespace, each.metadata.name, "schema") for each in pods)
