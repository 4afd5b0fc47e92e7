"""Ten failures that users cause, found and fixed with the commands of docs/troubleshooting.md."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflowops.paths import REPO

from e2e.helm import OUR_IMAGE, Helm
from e2e.kube import Kube, eventually
from e2e.leaks import remove
from e2e.stores import POSTGRES, Database, shared_stores
from e2e.up import run

PAGE = (REPO / "docs/troubleshooting.md").read_text()
CLIENTS = "troubleshooting-clients"
SMALL = {"requests": {"cpu": "50m", "memory": "256Mi"}}

Values = dict[str, Any]


@dataclass
class Entry:
    """One failure of the page: its heading, a pattern of the text that is shown, the commands of the fix."""

    title: str
    shown: re.Pattern[str]
    fix: str


def _entries() -> list[Entry]:
    section = PAGE.partition("## Ten common failures\n")[2].partition("\n## ")[0]
    found = []
    for part in section.split("\n### ")[1:]:
        (shown,) = re.findall(r"```text\n(.*)\n```", part)
        (fix,) = re.findall(r"```bash\n(.*?)```", part, re.DOTALL)
        pattern = ".*".join(map(re.escape, shown.split("...")))
        found.append(Entry(part.partition("\n")[0], re.compile(pattern), fix))
    return found


ENTRIES = {entry.title: entry for entry in _entries()}
# The commands above the entries: those for the cluster, and the one for the place of the client.
LOOK, REQUEST = re.findall(r"```bash\n(.*?)```", PAGE.partition("## ")[0], re.DOTALL)


@dataclass
class Broken:
    """A release with one failure, what a user knows about it, and its cluster."""

    kube: Kube
    helm: Helm
    kubeconfig: Path
    namespace: str
    database: Database
    values: Values
    known: dict[str, str]

    def type(self, commands: str) -> tuple[int, str]:
        """Type commands of the page, for this namespace, with what the user knows as variables."""
        commands = re.sub(r"(-n|--namespace) ml\b", rf"\1 {self.namespace}", commands)
        # The variables are inherited, so none of them is in an argument or in the output.
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.known.items():
                patch.setenv(name, value)
            done = run(commands, self.kubeconfig, check=False)
        return done.returncode, done.stdout + done.stderr

    def request(self) -> str:
        """Type the client's command in the client's pod."""
        command = f"MLFLOW_TRACKING_URI={self.known['MLFLOW_TRACKING_URI']}\n{REQUEST}"
        return self.kube.exec(CLIENTS, "client", ["sh", "-c", command])

    def symptoms(self) -> str:
        """Return all that the commands of the page print."""
        return f"{self.type(LOOK)[1]}\n{self.request()}"

    def healthy(self) -> bool:
        code, _ = self.type("mlflowops health --namespace ml")
        return code == 0 and '"experiments"' in self.request()

    def install(self, wait: str = "", **values: Any) -> None:
        self.helm.install(self.namespace, {**self.values, **values}, wait=wait)


@pytest.fixture(scope="module")
def client(kube: Kube) -> Iterator[None]:
    """A pod in another namespace, where a training job would run."""
    kube.create_namespace(CLIENTS)
    with kube.client_pod(CLIENTS):
        yield
    remove(kube, CLIENTS)


@pytest.fixture
def release(client: None, kube: Kube, helm: Helm, kubeconfig: Path, namespace: str) -> Broken:
    """A release that would be healthy; a test breaks it, before or after it is installed."""
    database = Database.create(kube, namespace)
    values = {**shared_stores(kube, namespace, database), "mlflow": {"resources": SMALL}}
    server = f"http://mlflow.{namespace}.svc.cluster.local"
    known = {"PASSWORD": database.password, "MLFLOW_TRACKING_URI": server}
    return Broken(kube, helm, kubeconfig, namespace, database, values, known)


def _the_secret_does_not_exist(broken: Broken) -> None:
    broken.kube.core.delete_namespaced_secret("mlflow-postgres-secret", broken.namespace)
    broken.install()


def _the_database_password_is_wrong(broken: Broken) -> None:
    broken.kube.secret(broken.namespace, "mlflow-postgres-secret", {"password": "of another role"})
    broken.install()


def _the_host_name_of_the_database_is_wrong(broken: Broken) -> None:
    postgres = broken.values["backendStore"]["postgres"]
    broken.known["DATABASE_HOST"] = postgres["host"]
    broken.install(backendStore={"postgres": {**postgres, "host": "postgres"}})


def _the_database_is_newer_than_the_image(broken: Broken) -> None:
    """As after an upgrade and `helm rollback`, with a backup from before the upgrade."""
    backup = {"enabled": True, "image": POSTGRES, "resources": SMALL}
    broken.install("120s", backup=backup)
    code, output = broken.type("mlflowops backup now --namespace ml")
    assert code == 0, output
    broken.known["BACKUP"] = "latest"
    with broken.database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE alembic_version SET version_num = 'feedfacecafe'")
    broken.install(backup=backup, podAnnotations={"rolled": "back"})


def _the_bucket_does_not_exist(broken: Broken) -> None:
    s3 = broken.values["artifactStore"]["s3"]
    broken.known["BUCKET"] = s3["bucket"]
    broken.install("120s", artifactStore={"s3": {**s3, "bucket": "mlfow"}})


def _the_volume_is_not_created(broken: Broken) -> None:
    broken.known["STORAGE_CLASS"] = broken.kube.storage.list_storage_class().items[0].metadata.name
    broken.values = {"mlflow": {"resources": SMALL}, "persistence": {"storageClass": "fast", "size": "1Gi"}}
    broken.install()


def _the_image_tag_is_wrong(broken: Broken) -> None:
    broken.known["TAG"] = OUR_IMAGE["tag"]
    broken.install(image={**OUR_IMAGE, "tag": "3.17"})


def _the_quota_of_the_namespace_is_too_small(broken: Broken) -> None:
    """1 GiB is enough for a rolling update of server and exporter at the lower request."""
    quota = {"metadata": {"name": "team"}, "spec": {"hard": {"requests.memory": "1Gi"}}}
    broken.kube.core.create_namespaced_resource_quota(broken.namespace, quota)
    broken.install(mlflow={"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "2Gi"}}})


def _the_server_refuses_the_host_name(broken: Broken) -> None:
    """A client uses an alias of the Service."""
    alias = {"type": "ExternalName", "externalName": f"mlflow.{broken.namespace}.svc.cluster.local"}
    broken.kube.core.create_namespaced_service(CLIENTS, {"metadata": {"name": "tracking"}, "spec": alias})
    host = f"tracking.{CLIENTS}.svc.cluster.local"
    broken.known |= {"CLIENT_HOST": host, "MLFLOW_TRACKING_URI": f"http://{host}"}
    broken.install("120s")


def _the_networkpolicy_blocks_the_client(broken: Broken) -> None:
    broken.known["CLIENT_NAMESPACE"] = CLIENTS
    broken.install("120s", networkPolicy={"enabled": True})


FAILURES: dict[str, Callable[[Broken], None]] = {
    "The Secret does not exist": _the_secret_does_not_exist,
    "The database password is wrong": _the_database_password_is_wrong,
    "The host name of the database is wrong": _the_host_name_of_the_database_is_wrong,
    "The database is newer than the image": _the_database_is_newer_than_the_image,
    "The bucket does not exist": _the_bucket_does_not_exist,
    "The volume is not created": _the_volume_is_not_created,
    "The image tag is wrong": _the_image_tag_is_wrong,
    "The quota of the namespace is too small": _the_quota_of_the_namespace_is_too_small,
    "The server refuses the host name": _the_server_refuses_the_host_name,
    "The NetworkPolicy blocks the client": _the_networkpolicy_blocks_the_client,
}
# One is in `make test`, to keep the page and this file together; ten take minutes.
QUICK = "The Secret does not exist"


def test_each_entry_of_the_page_has_its_failure() -> None:
    assert list(ENTRIES) == list(FAILURES)


def _parameter(title: str) -> Any:
    marks = [] if title == QUICK else [pytest.mark.nightly]
    return pytest.param(title, id=title.lower().replace(" ", "-"), marks=marks)


@pytest.mark.parametrize("title", list(map(_parameter, FAILURES)))
def test_the_page_fixes_it(release: Broken, title: str) -> None:
    """Exactly one entry has a text that the cluster shows; its commands make the release healthy."""
    FAILURES[title](release)
    found = eventually(lambda: _found(release.symptoms()), 120, f"a text of the page: {title}", every=3)
    assert found == [title]
    assert not release.healthy()
    code, output = release.type(ENTRIES[title].fix)
    assert code == 0, output
    eventually(release.healthy, 180, f"a healthy release after the fix of {title!r}", every=3)


def _found(output: str) -> list[str]:
    """Return the entries whose text is in the output."""
    return [title for title, entry in ENTRIES.items() if entry.shown.search(output)]
