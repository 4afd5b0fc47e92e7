"""`helmfile apply` in a checkout of this repository, before and after its chart changed."""

import shutil
import tarfile
from pathlib import Path

import yaml
from mlflowops.paths import REPO

from e2e.upgrades.helm_way import HelmWay
from e2e.upgrades.place import Place

# What only clusters with the operator of Prometheus have.
WITHOUT_OPERATOR = {name: {"enabled": False} for name in ("serviceMonitor", "prometheusRule")}


class HelmfileWay(HelmWay):
    """An environment with a database and a bucket that exist already, as `dev` and `prod` have them."""

    def __init__(self, place: Place, released: Path) -> None:
        """Make the checkout."""
        super().__init__(place, released)
        self.checkout = place.folder / "checkout"
        shutil.copytree(REPO / "environments", self.checkout / "environments")
        shutil.copy(REPO / "values.yaml", self.checkout)
        state = (REPO / "helmfile.yaml").read_text()
        assert "wait: true" in state
        waits = str(place.waits).lower()
        (self.checkout / "helmfile.yaml").write_text(state.replace("wait: true", f"wait: {waits}"))
        (self.checkout / "testbed").symlink_to(REPO / "testbed")
        environment = {"namespace": place.namespace}
        (self.checkout / "environments/dev.yaml").write_text(yaml.safe_dump(environment))
        values = {**WITHOUT_OPERATOR, **place.values}
        (self.checkout / "values-dev.yaml").write_text(yaml.safe_dump(values))

    def install(self) -> None:
        """Apply with the released chart."""
        self.back()

    def upgrade(self) -> None:
        """Apply with this tree's chart."""
        self._apply(self.chart)

    def back(self) -> None:
        """Apply with the released chart, as after a revert of the commit."""
        unpacked = self.place.folder / "released"
        if not unpacked.exists():
            with tarfile.open(self.released) as archive:
                archive.extractall(unpacked, filter="data")
        self._apply(unpacked / "mlflow")

    def _apply(self, chart: Path) -> None:
        place = self.checkout / "charts/mlflow"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(chart, place)
        self.place.run("helmfile", "-e", "dev", "apply", cwd=self.checkout)
