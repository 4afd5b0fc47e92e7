"""A cluster in containers: kind with docker or podman."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import yaml
from mlflowops import console, shell
from mlflowops.errors import OpsError

from testbed import container_engine, paths
from testbed.cluster import addons, image_archives
from testbed.cluster.api import Api
from testbed.cluster.base import DEFAULT_NODES, Cluster

CONFIG = paths.BED / "cluster" / "kind.yaml"
NODES = paths.BED / "cluster" / "kind-nodes.yaml"


class Kind(Cluster):
    """See the module's text."""

    driver = "kind"

    @staticmethod
    def usable() -> bool:
        """Whether kind is installed and an engine answers; a client without an engine is not enough."""
        return bool(shutil.which("kind") and container_engine.running())

    @classmethod
    def versions(cls) -> dict[str, str]:
        """Return the node images by Kubernetes version."""
        images: dict[str, str] = yaml.safe_load(NODES.read_text())
        return images

    def check_requirements(self) -> None:
        """kind and an engine."""
        if not self.usable():
            wrong = "kind is not installed, or no container engine answers"
            raise OpsError(f"cluster {self.name}", wrong, "start docker or podman, and put kind on PATH")

    def make(self, nodes: int | None) -> None:
        """Create the cluster unless it is there, and give it what kind's own lacks: metrics."""
        there = self.name in self._kind("get", "clusters").split()
        if there and not self.kubeconfig.exists():  # `kind create` did not get to its end
            self.remove()
            there = False
        if not there:
            self._create(nodes or DEFAULT_NODES)
        elif nodes not in (None, len(self._nodes())):
            wrong = f"it has {len(self._nodes())} nodes, and kind cannot change that"
            raise OpsError(f"cluster {self.name}", wrong, "run `testbed cluster down` first")
        api = Api(self.kubeconfig)
        if not api.ready():
            again = f"start its containers ({', '.join(self._nodes())}), or run `testbed cluster down`"
            raise OpsError(f"cluster {self.name}", "its API server does not answer", again)
        self.load_images([addons.archive("metrics-server")])
        addons.apply(self.kubeconfig, ["metrics-server"])
        with console.step("Waiting for DNS"):
            addons.wait(api, ["coredns"], 180)

    def remove(self) -> None:
        """Delete the containers."""
        self._kind("delete", "cluster", "--name", self.name)

    def load_images(self, archives: Sequence[Path]) -> None:
        """Let kind load what any of its nodes lacks."""
        for archive in archives:
            if any(image_archives.is_missing(self._ctr(each), archive) for each in self._nodes()):
                with console.step(f"Loading {archive.name} into cluster {self.name}"):
                    self._kind("load", "image-archive", str(archive), "--name", self.name)

    def _create(self, nodes: int) -> None:
        config = yaml.safe_load(CONFIG.read_text())
        first, worker = config["nodes"]
        image = {"image": self.versions()[self.kubernetes]}
        config["nodes"] = [first | image, *(worker | image for _ in range(nodes - 1))]
        with console.step(f"Creating kind cluster {self.name}"):
            self._kind(
                *("create", "cluster", "--name", self.name, "--config", "-", "--wait", "180s"),
                *("--kubeconfig", str(self.kubeconfig)),
                stdin=yaml.safe_dump(config),
            )

    def _nodes(self) -> list[str]:
        return self._kind("get", "nodes", "--name", self.name).split()

    def _ctr(self, container: str) -> image_archives.Ctr:
        return [container_engine.running() or "docker", "exec", container, "ctr", "--namespace", "k8s.io"]

    def _kind(self, *words: str, stdin: str | None = None) -> str:
        env = {"KIND_EXPERIMENTAL_PROVIDER": container_engine.running() or "docker"}
        return shell.run(["kind", *words], env=env, stdin=stdin).stdout
