"""Where the artifacts of the source will be on the server, and the rows that say so.

Every address becomes one below the server's own artifact root, whatever the source says: the server opens
what its database names, with credentials of its own, and the source is data from elsewhere.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from mlflow_kubernetes.stores.workspaces import folder_of
from mlflow_kubernetes.tasks.copying.tables import Row, read
from mlflow_kubernetes.tasks.task import TaskError

ARTIFACTS, ARCHIVE = "mlflow.artifactLocation", "mlflow.trace.archiveLocation"
# MLflow looks these up in the database itself.
INDIRECT = ("models:/", "runs:/")
ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
# MLflow's own rule for the name of a workspace.
WORKSPACE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True)
class Owner:
    """A run, a logged model, a trace or a model version, and its artifacts.

    Attributes:
        kind: What it is.
        id: Its id or name.
        old: Address of its artifacts in the source.
        folder: Their new folder, below the artifact root.
    """

    kind: str
    id: str
    old: str
    folder: str


class Places:
    """The new places of all artifacts of a source.

    Args:
        root: The artifact root as the server writes it into its database.
    """

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        self.owners: list[Owner] = []
        self._folders: dict[str, str] = {}
        self._traces: dict[str, str] = {}
        self._experiments: dict[int, str] = {}

    def learn(self, connection: Any, tables: dict[str, Any]) -> None:
        """Read who owns artifacts in the source."""
        for row in read(connection, tables["experiments"], ["experiment_id", "workspace"]):
            number = int(row["experiment_id"])
            self._experiments[number] = f"{_workspace_folder(row)}{number}"
        for row in read(connection, tables["runs"], ["run_uuid", "experiment_id", "artifact_uri"]):
            self._add("run", row["run_uuid"], row["artifact_uri"], self._run_folder(row))
        names = ["model_id", "experiment_id", "artifact_location"]
        for row in read(connection, tables["logged_models"], names):
            self._add("model", row["model_id"], row["artifact_location"], self._model_folder(row))
        for row in read(connection, tables["trace_info"], ["request_id", "experiment_id"]):
            self._traces[row["request_id"]] = f"{self._experiment(row)}/traces/{_id(row['request_id'])}"
        table = tables["trace_tags"]
        wanted = table.columns["key"].in_([ARTIFACTS, ARCHIVE])
        for row in read(connection, table, ["request_id", "key", "value"], wanted):
            self._add("trace", row["request_id"], row["value"], self._trace_folder(row))
        names = ["workspace", "name", "version", "source", "storage_location"]
        for row in read(connection, tables["model_versions"], names):
            self._learn_version(row)

    def rewrite(self, table: str, row: Row) -> Row:
        """Return a row of the source with the new addresses."""
        return {**row, **dict(self._changes(table, row))}

    def _changes(self, table: str, row: Row) -> Iterator[tuple[str, str | None]]:
        if table == "experiments" and row["artifact_location"]:
            yield "artifact_location", self._address(self._experiment(row))
        elif table == "runs" and row["artifact_uri"]:
            yield "artifact_uri", self._address(self._run_folder(row))
        elif table == "logged_models" and row["artifact_location"]:
            yield "artifact_location", self._address(self._model_folder(row))
        elif table == "trace_tags" and row["key"] in (ARTIFACTS, ARCHIVE):
            yield "value", self._address(self._trace_folder(row))
        elif table == "model_versions":
            for name in ("source", "storage_location"):
                if row[name] and not row[name].startswith(INDIRECT):
                    yield name, self._address(self._known_folder(row[name]) or _version_folder(row))
        elif table == "workspaces":
            yield from (("default_artifact_root", None), ("trace_archival_location", None))

    def _learn_version(self, row: Row) -> None:
        old = row["storage_location"] or row["source"] or ""
        if old and not old.startswith(INDIRECT) and not self._known_folder(old):
            name = f"{row['name']} version {row['version']}"
            self.owners.append(Owner("model version", name, old, _version_folder(row)))

    def _add(self, kind: str, name: str, old: str | None, folder: str) -> None:
        if old:
            self.owners.append(Owner(kind, name, old, folder))
            self._folders[_path(old)] = folder

    def _known_folder(self, address: str) -> str | None:
        """Return the folder of what lies below the artifacts of a run, a model or a trace."""
        head, tail = _path(address), ""
        while head and head not in self._folders:
            head, _, last = head.rpartition("/")
            tail = f"{last}/{tail}" if tail else last
        if not head or not _is_plain(tail):
            return None
        return f"{self._folders[head]}/{tail}".rstrip("/")

    def _experiment(self, row: Row) -> str:
        """Return the folder of the experiment that a row is or belongs to, in that of its workspace."""
        number = int(row["experiment_id"])
        return self._experiments.get(number, str(number))

    def _run_folder(self, row: Row) -> str:
        return f"{self._experiment(row)}/{_id(row['run_uuid'])}/artifacts"

    def _model_folder(self, row: Row) -> str:
        return f"{self._experiment(row)}/models/{_id(row['model_id'])}/artifacts"

    def _trace_folder(self, row: Row) -> str:
        folder = self._traces.get(row["request_id"]) or f"0/traces/{_id(row['request_id'])}"
        return f"{folder}/{'archive' if row['key'] == ARCHIVE else 'artifacts'}"

    def _address(self, folder: str) -> str:
        return f"{self.root}/{folder}"


def _version_folder(row: Row) -> str:
    name = hashlib.sha256(f"{row['workspace']}/{row['name']}".encode()).hexdigest()[:16]
    return f"{_workspace_folder(row)}registered-models/{name}/{int(row['version'])}"


def _workspace_folder(row: Row) -> str:
    """Return the folder of a row's workspace, empty for `default`."""
    name = row["workspace"]
    if name and not WORKSPACE.fullmatch(name):
        raise TaskError(f"the source has a workspace that MLflow never makes, {name[:80]!r}; remove that row")
    return folder_of(name)


def _id(text: str) -> str:
    """Return an id that can be a folder."""
    if not ID.fullmatch(text) or ".." in text:
        raise TaskError(f"the source has an id that MLflow never makes, {text[:80]!r}; remove that row")
    return text


def _path(address: str) -> str:
    return address.removeprefix("file://").rstrip("/")


def _is_plain(path: str) -> bool:
    """Return whether a path steps nowhere upwards, in any spelling."""
    while (decoded := unquote(path)) != path:
        path = decoded
    return not {"..", "?", "#"} & {*re.split(r"[/\\]", path), *path}
