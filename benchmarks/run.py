"""One run: install each peer alone, load the databases, drive all peers in turn."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from e2e.helm import Helm
from e2e.kube import Kube

from benchmarks.cases.case import Case
from benchmarks.cluster.databases import Databases
from benchmarks.cluster.release import Release
from benchmarks.cluster.usage import Usage
from benchmarks.first_page import sizes
from benchmarks.large_artifacts import transfer
from benchmarks.load.ids import LARGE, MIDDLE, SMALL
from benchmarks.load.loader import load_others, load_runs
from benchmarks.options import Options
from benchmarks.peers.peer import (
    EVERY,
    INDEXED,
    LOGIN_PEERS,
    OFFICIAL,
    OURS,
    PEERS,
    PYTHON_PEERS,
    Peer,
    asked,
)
from benchmarks.record import Record
from benchmarks.slices import run_case, warm

POSTGRES = ("ml", "postgres-0", "postgres")
INDEX = "mlflow_kubernetes_latest_metrics_value"


class Run:
    """The peers on the cluster, and what is known of them so far."""

    def __init__(self, options: Options, record: Record, kubeconfig: Path) -> None:
        os.environ["KUBECONFIG"] = str(kubeconfig)
        self.options, self.record = options, record
        self.kube, helm = Kube(kubeconfig), Helm(kubeconfig)
        self.databases = Databases(self.kube)
        self.postgres = Usage(self.kube, *POSTGRES)
        chosen = [peer for peer in EVERY if self._wanted(peer)]
        self.releases = {peer.name: Release(peer, self.kube, helm, self.databases) for peer in chosen}

    def __call__(self) -> None:
        """Do all steps. One that fails is noted, and the next one begins."""
        urgent, others = self.options.steps()
        try:
            self._alone()
            self._load()
            self._apart("login", LOGIN_PEERS)
            self._apart("python", PYTHON_PEERS)
            self._each("installation", self._of(PEERS), self._install_warm)
            self._drive(urgent)
            self._each("memory after load", self._of(PEERS), self._after_load)
            self._artifacts()
            self._apart("indexed", [INDEXED])
            self._try("indexes", self._drop_index)
            self._drive(others)
        finally:
            if not self.options.keep:
                self._each("removal", self.releases.values(), Release.remove)

    def _alone(self) -> None:
        """Time to Ready and memory of each peer, while no other one runs."""
        self._each("namespace", self.releases.values(), Release.prepare)
        self._each("installation", self._of(PEERS), self._install_alone)

    def _install_alone(self, release: Release) -> None:
        name = release.peer.name
        self.databases.create(release.peer.database)
        measured = "pods" in self.options.groups and release.peer.alone
        if not measured and release.peer != self._template.peer:
            return
        empty = release.install()
        if measured:
            release.uninstall()
            ready = release.install()
            self.record.put("pods", name, empty_s=empty, ready_s=ready, **release.memory_at_rest())
            self.record.put("ui", name, **sizes(release.url))
            self.record.say(f"{name}: {self.record.data['pods'][name]}")
        release.uninstall()

    def _load(self) -> None:
        """Load one database and copy it: with few runs for logins, without 10^6 runs for two of the peers."""
        all_runs = self._of((OURS, OFFICIAL))
        others = [each for each in self._of(PEERS) if each not in all_runs]
        self._load_and_copy("10^3 runs", 0, SMALL.runs, self._of((*LOGIN_PEERS, *PYTHON_PEERS)))
        self._load_and_copy("10^5 runs", SMALL.runs + 1, MIDDLE.runs, others)
        self._load_and_copy("10^6 runs", MIDDLE.runs + 1, LARGE.runs, all_runs)
        self._try("checkpoint", lambda: self.databases.execute("CHECKPOINT"))

    def _load_and_copy(self, what: str, at_least: int, at_most: int, copies: Iterable[Release]) -> None:
        template = self._template.peer.database
        self._try(f"load of {what}", lambda: self._load_template(template, what, at_least, at_most))
        copied = [each for each in copies if each.peer.database != template]
        self._each("copy", copied, lambda each: self.databases.create(each.peer.database, template))

    def _load_template(self, template: str, what: str, at_least: int, at_most: int) -> None:
        start = self.record.seconds
        with contextlib.closing(self.databases.connect(template)) as connection:
            load_runs(connection, self.options.sizes(at_least, at_most))
            if not at_least:
                load_others(connection)
        self.record.put("load", what, seconds=round(self.record.seconds - start, 1))
        self.record.say(f"loaded {what}")

    def _install_warm(self, release: Release) -> None:
        release.install()
        warm(release)

    def _drive(self, steps: Iterable[tuple[Case, int]]) -> None:
        for case, clients in steps:
            what = f"{case.name}, {clients} clients"
            if not self._over(what):
                self._try(what, functools.partial(self._case, case, clients))

    def _case(self, case: Case, clients: int) -> None:
        wanted = self._of(asked(case.clients[clients]))
        run_case(case, clients, wanted, self.postgres, self.record, self.options.rounds or case.rounds)

    def _artifacts(self) -> None:
        if "artifacts" in self.options.groups and not self._over("artifacts"):
            self._each("large artifact", self._of((OURS, OFFICIAL)), self._artifact)

    def _after_load(self, release: Release) -> None:
        found = release.memory()
        self.record.put("pods", release.peer.name, loaded_mib=found["all_mib"])
        self.record.say(f"{release.peer.name} after load: {found}")

    def _artifact(self, release: Release) -> None:
        found = transfer(release, self.options.mib)
        self.record.put("artifacts", release.peer.name, **found)
        self.record.say(f"{release.peer.name}: {found}")

    def _apart(self, group: str, wanted: Iterable[Peer]) -> None:
        """Calls of one group, on servers of their own."""
        steps, peers = self.options.steps_apart(group), self._of(wanted)
        if steps and not self._over(group):
            self._each("installation", peers, self._install_warm)
            self._drive(steps)
            self._each("removal", peers, Release.remove)

    def _drop_index(self) -> None:
        """Remove the index that INDEXED has made in a database that is not its own."""
        if INDEXED.name in self.releases:
            with contextlib.closing(self.databases.connect(INDEXED.database)) as connection, connection:
                connection.cursor().execute(f"DROP INDEX IF EXISTS {INDEX}")

    @property
    def _template(self) -> Release:
        """The release whose database all others copy: MLflow itself makes its schema, if it takes part."""
        return self.releases.get(OFFICIAL.name) or next(iter(self.releases.values()))

    def _wanted(self, peer: Peer) -> bool:
        if (peer.login and "login" not in self.options.groups) or (
            peer.shares and "indexed" not in self.options.groups
        ):
            return False
        if peer in PYTHON_PEERS:
            return "python" in self.options.groups
        name = peer.shares or peer.name.removesuffix("-login")
        return not self.options.peers or name in self.options.peers

    def _of(self, peers: Iterable[Peer]) -> list[Release]:
        return [self.releases[peer.name] for peer in peers if peer.name in self.releases]

    def _over(self, what: str) -> bool:
        if self.record.seconds < self.options.minutes * 60:
            return False
        self.record.failed(what, TimeoutError(f"no time left of {self.options.minutes:g} minutes"))
        return True

    def _each(self, what: str, releases: Iterable[Release], do: Callable[[Release], object]) -> None:
        for release in releases:
            self.record.say(f"{what}: {release.peer.name}")
            self._try(f"{what}, {release.peer.name}", functools.partial(do, release))

    def _try(self, what: str, do: Callable[[], object]) -> None:
        try:
            do()
        except Exception as error:
            self.record.failed(what, error)
