"""The state that the steps of an import share, and concurrent work on many items."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mlflowops import console
from mlflowops.errors import OpsError
from mlflowops.importer.ids import Ids
from mlflowops.importer.source import Source

Item = TypeVar("Item")

# The server understood and said no: that is about one item. Anything else ends the import.
REFUSALS = {
    "INVALID_PARAMETER_VALUE",
    "INVALID_STATE",
    "BAD_REQUEST",
    "RESOURCE_ALREADY_EXISTS",
    "RESOURCE_DOES_NOT_EXIST",
    "PERMISSION_DENIED",
}


@dataclass
class Transfer:
    """One import from a source to the server."""

    source: Source
    target: MlflowClient
    jobs: int
    ids: Ids = field(default_factory=Ids)
    written: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    refused: dict[str, None] = field(default_factory=dict)

    def add_refusal(self, sentence: str) -> None:
        """Record once that something is not imported because its location is refused."""
        self.refused[sentence] = None

    def artifacts(self, address: str) -> ArtifactRepository:
        """Open artifacts on the server by their address. A server must not name a folder of this machine."""
        remote = self.target.tracking_uri.startswith(("http://", "https://"))
        if remote and urlsplit(address).scheme in ("", "file"):
            wrong = f"keeps artifacts in a folder of its own, {address}"
            raise OpsError("the server", wrong, "let it serve them (artifactStore.mode: proxied)")
        return get_artifact_repository(address, tracking_uri=self.target.tracking_uri)

    def for_each(
        self, what: str, items: Iterable[Item], do: Callable[[Item], Any], name: Callable[[Item], str]
    ) -> None:
        """Call `do` for every item, `jobs` at a time. A refusal of one item becomes a problem."""
        todo = list(items)
        if not todo:
            return
        with progress_bar() as bar, ThreadPoolExecutor(self.jobs) as pool:
            task = bar.add_task(what, total=len(todo))
            futures = {pool.submit(do, item): item for item in todo}
            try:
                for future in as_completed(futures):
                    self._record_result(future.exception(), f"{what}: {name(futures[future])}")
                    bar.advance(task)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _record_result(self, error: BaseException | None, what: str) -> None:
        if error is None:
            return
        if not isinstance(error, MlflowException) or error.error_code not in REFUSALS:
            raise error
        self.problems.append(f"{what}: {str(error).strip().splitlines()[0]}")


def progress_bar() -> Progress:
    """Return a bar on stderr that counts."""
    columns = (TextColumn("{task.description:24}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console.err)
