"""The folders and addresses that an import may read artifacts from.

A source is data from elsewhere. It may name any folder of this machine, and any store that the caller's
credentials open. Only folders of the source itself, its own server, and what `--artifacts` names are read.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit

from mlflowops.errors import OpsError
from mlflowops.importer.folder import Folder

TRASH = ".trash"
ALLOW_HINT = "name its place with --artifacts if you trust it"
# MLflow resolves these to the address of another run or model, which has not been checked.
INDIRECT_SCHEMES = ("runs", "models")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Refused(Exception):
    """A location must not be read; the message says why."""


class AllowedLocations:
    """The folders and addresses that one import may read.

    Args:
        own: Folders of the source itself, without links in their paths.
        named: Values of `--artifacts`, folders or addresses.
        moved: Folders that may hold artifacts whose recorded folder does not exist; default: the named.
        base: Folder that relative paths start from.
        server: Address of the source if it is a tracking server.
    """

    def __init__(
        self,
        own: Iterable[Path],
        named: Iterable[str] = (),
        moved: Iterable[Path] = (),
        base: Path | None = None,
        server: str = "",
    ) -> None:
        given = list(named)
        self.named = [Path(os.path.realpath(each)) for each in given if not is_address(each)]
        self.folders = [*own, *self.named]
        self.addresses = [each for each in given if is_address(each)]
        self.moved = self.named or list(moved)
        self.base = base
        self.server = server

    def resolve(self, address: str, owner: str) -> Folder | str | None:
        """Return the folder or the address to read; None if there is nothing.

        Args:
            address: Recorded place of the artifacts of a run or logged model.
            owner: Id of the run or logged model.

        Raises:
            Refused: The place must not be read.
        """
        if not address:
            return None
        if _CONTROL.search(unquote(address)):
            raise Refused("it holds control characters")
        if "\\" in unquote(address):
            raise Refused("it is a path of another system")
        try:
            url = urlsplit(address)
        except ValueError:
            raise Refused("it is not an address") from None
        if url.scheme not in ("", "file", "mlflow-artifacts"):
            return self._store_address(address, url)
        if url.scheme == "mlflow-artifacts" and (url.netloc or self.server):
            return self._store_address(address, url)
        if url.scheme == "file" and url.netloc not in ("", "localhost"):
            raise Refused(f"it is a folder of another machine, {url.netloc}")
        return self._folder(unquote(url.path if url.scheme else address), owner, url.scheme)

    def is_allowed(self, path: str) -> bool:
        """Return whether artifacts may be read from a folder or file: below a folder, its links resolved."""
        real = Path(os.path.realpath(path))
        return real in self.named or any(_is_below(real, folder) for folder in self.folders)

    def contains(self, real: Path) -> bool:
        """Return whether a path without links lies in a folder that may be read, or is it."""
        return any(real.is_relative_to(folder) for folder in self.folders)

    def is_named(self, address: str) -> bool:
        """Return whether `--artifacts` names an address, or one that it lies below."""
        try:
            url = urlsplit(address)
        except ValueError:
            return False
        return (
            url.scheme not in INDIRECT_SCHEMES
            and is_plain(address)
            and any(_is_prefix(url, urlsplit(each)) for each in self.addresses)
        )

    def _store_address(self, address: str, url: SplitResult) -> str:
        own = url.scheme == "mlflow-artifacts" and url.netloc in ("", urlsplit(self.server).netloc)
        if not (own and self.server) and not self.is_named(address):
            raise Refused("the source does not keep it itself")
        return address

    def _folder(self, path: str, owner: str, scheme: str) -> Folder | None:
        places = self._moved_candidates(path, owner)
        if scheme != "mlflow-artifacts" and (self.base or os.path.isabs(path)):
            places.insert(0, os.path.join(self.base or "", path))
        good = [each for each in places if self.is_allowed(each)]
        for each in good:
            if os.path.isdir(each):
                return Folder(Path(os.path.realpath(each)), self.is_allowed)
        if not good or any(os.path.lexists(each) for each in places):
            where = " or ".join(map(str, self.folders)) or "what --artifacts names"
            raise Refused(f"it is no folder below {where} that is not hidden")
        return None

    def _moved_candidates(self, path: str, owner: str) -> list[str]:
        """Return where <experiment>/<run>/artifacts or <experiment>/models/<model>/artifacts may lie now."""
        parts = [each for each in PurePosixPath(path).parts if not each.startswith("/")]
        tail = parts[-4:] if {"models", "traces"} & {*parts[-3:]} else parts[-3:]
        if owner not in tail or ".." in tail:
            return []
        return [str(folder.joinpath(*trash, *tail)) for folder in self.moved for trash in ((TRASH,), ())]


def is_address(text: str) -> bool:
    """Return whether a value of `--artifacts` is the address of a store, not a folder."""
    return bool(_ADDRESS.match(text)) and not text.lower().startswith("file:")


def check_named(artifacts: Iterable[str]) -> None:
    """Check the values of `--artifacts`.

    Raises:
        OpsError: One of them is neither an address nor a folder.
    """
    for each in artifacts:
        if not is_address(each) and not Path(each).is_dir():
            instead = "give the folder that holds <experiment>/<run>, or an address such as s3://bucket/path"
            raise OpsError(f"--artifacts {each}", "no such folder", instead)


def is_plain(address: str) -> bool:
    """Return whether an address names nothing but a path: no step upwards in any spelling, no query."""
    while (decoded := unquote(address)) != address:
        address = decoded
    return not _CONTROL.search(address) and not {"..", "?", "#"} & {*re.split(r"[/\\]", address), *address}


def redacted(address: str) -> str:
    """Return an address for people: quoted, short, without a password or the signature behind the ?."""
    return repr(re.sub(r"(//[^/@:]*):[^/@]*@", r"\1:...@", address.partition("?")[0])[:200])


def _is_below(real: Path, folder: Path) -> bool:
    """Strictly below, and through no hidden folder: .ssh, .git and .aws hold no artifacts."""
    if real == folder or not real.is_relative_to(folder):
        return False
    first, *rest = real.relative_to(folder).parts
    return not any(each.startswith(".") for each in (rest if first == TRASH else (first, *rest)))


def _is_prefix(url: SplitResult, named: SplitResult) -> bool:
    same = (url.scheme, url.netloc) == (named.scheme, named.netloc)
    return same and f"{url.path}/".startswith(f"{named.path.rstrip('/')}/")
