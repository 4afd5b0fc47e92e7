"""The orders of `mlflowops copy`: the source, the target, and the copy itself."""

import json
import os
import tempfile
from collections.abc import Generator, MutableMapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlflow_kubernetes.log import logger
from mlflow_kubernetes.schema.schemas import Schema, required_schemas
from mlflow_kubernetes.stores.database import connect
from mlflow_kubernetes.stores.workspaces import OTHER_WORKSPACE, is_enabled
from mlflow_kubernetes.tasks.copying import source, tables
from mlflow_kubernetes.tasks.copying.accounts import write_accounts
from mlflow_kubernetes.tasks.copying.artifacts import Artifacts
from mlflow_kubernetes.tasks.copying.places import Places
from mlflow_kubernetes.tasks.copying.rows import Rows
from mlflow_kubernetes.tasks.copying.webhooks import adopt_secrets
from mlflow_kubernetes.tasks.task import TaskError

log = logger("copy")
DATABASE, ACCOUNTS, ARTIFACT = "database", "accounts", "artifact"
Answer = Generator[dict[str, Any], None, None]
Tables = dict[str, tuple[Any, Any]]


class Orders:
    """One copy. An order is a method `order_<name>`, with the body of the request and its query.

    Args:
        folder: For what comes in.
        env: Leads to the stores of the release.
    """

    def __init__(self, folder: Path, env: MutableMapping[str, str]) -> None:
        self.folder = folder
        self.env = env
        self.artifacts = Artifacts(env)
        self.places = Places(self.artifacts.root)
        self.notes: list[str] = []
        self.origin: Any = None
        self.origin_accounts: Any = None

    def order_ready(self, _: bytes) -> Answer:
        """Answer."""
        yield {"done": {"root": self.artifacts.root}}

    def order_append(self, body: bytes, file: str, offset: str) -> Answer:
        """Take a part of a file, at its offset."""
        if file not in (DATABASE, ACCOUNTS, ARTIFACT):
            raise TaskError(f"{file!r} is not a file of a copy")
        place = self.folder / file
        place.touch()
        with place.open("r+b") as content:
            content.truncate(int(offset))
            content.seek(int(offset))
            content.write(body)
        yield {"done": {}}

    def order_open(self, _: bytes) -> Answer:
        """Upgrade the source if it is older, and check that it can go into the release."""
        runs, *more = required_schemas(self.env)
        self._check_target(runs)
        if (self.folder / DATABASE).exists():
            self.origin = source.sqlite_engine(self.folder / DATABASE, runs, self.notes)
        else:
            self.origin = source.postgres_engine(self.env, runs)
        if (self.folder / ACCOUNTS).exists():
            self.origin_accounts = self._open_accounts(more)
        self.places = Places(self.artifacts.root)
        with ExitStack() as stack:
            rows = self._rows(stack)
            self._check_workspaces(rows)
            rows.places.learn(rows.origin, {name: old for name, (old, _) in rows.tables.items()})
            copied = rows.is_copied()
        yield {"done": {"copied": copied, "owners": len(self.places.owners)}}

    def order_owners(self, _: bytes) -> Answer:
        """Say who has artifacts: where they are in the source, and the folder that they get."""
        for owner in self.places.owners:
            yield asdict(owner)
        yield {"done": {}}

    def order_missing(self, body: bytes) -> Answer:
        """Say which files the artifact store lacks."""
        yield {"done": {"files": self.artifacts.missing(json.loads(body))}}

    def order_store(self, body: bytes, path: str = "") -> Answer:
        """Store the files of a tar archive, or the one that came in parts."""
        if path:
            with tempfile.TemporaryDirectory(dir=self.folder) as temp:
                named = Path(temp, Path(path).name)  # MLflow takes the name from the file
                os.link(self.folder / ARTIFACT, named)
                self.artifacts.store(named, path)
        yield {"done": {"files": 1 if path else self.artifacts.store_archive(body)}}

    def order_fetch(self, body: bytes) -> Answer:
        """Copy artifacts from another object store."""
        wanted = json.loads(body)
        yield {"done": {"files": self.artifacts.fetch(wanted["address"], wanted["folder"])}}

    def order_copy(self, body: bytes) -> Answer:
        """Copy the rows unless they are there, and compare them."""
        key = json.loads(body or b"{}").get("webhook_key", "")
        counts = {}
        with ExitStack() as stack:
            rows = self._rows(stack)
            copied = rows.is_copied()
            if not copied:
                rows.lock()
                copied = rows.is_copied()  # another copy may have been faster
            if not copied:
                yield from rows.write()
            for name in rows.tables:
                counts[name] = rows.compare(name)
                yield {"compared": name}
            different = [each.different for each in counts.values() if each.different]
            if different and not copied:
                raise TaskError(
                    f"{different[0]} differs between the source and the copy; nothing was changed"
                )
            if not copied:
                self._adopt(rows, key)
            elif self.origin_accounts is not None:
                self.notes.append("accounts stay as they are: this source was copied before")
        log.info(f"{'compared' if copied else 'copied and compared'} {len(counts)} tables.")
        lines = {name: asdict(count) for name, count in counts.items()}
        yield {"done": {"copied": copied, "tables": lines, "notes": self.notes}}

    def _adopt(self, rows: Rows, webhook_key: str) -> None:
        """Make the accounts and secrets of the source those of the release."""
        if lost := adopt_secrets(rows.into, rows.tables["webhooks"][1], self.env, webhook_key):
            self.notes.append(f"webhooks without their secrets, set them again: {', '.join(lost)}")
        if rows.into.execute(rows.tables["secrets"][1].select().limit(1)).first():
            self.notes.append("gateway secrets need the source's MLFLOW_CRYPTO_KEK_PASSPHRASE")
        if self.origin_accounts is not None:
            with self.origin_accounts.connect() as origin:
                names = tables.account_names()
                write_accounts(origin, rows.into, _both(self.origin_accounts, rows.into.engine, names))

    def _rows(self, stack: ExitStack) -> Rows:
        if self.origin is None:
            raise TaskError("there is no source yet")
        target = _target_engine()
        known = _both(self.origin, target, tables.table_names())
        origin = stack.enter_context(self.origin.connect())
        return Rows(origin, stack.enter_context(target.begin()), known, self.places)

    def _check_target(self, schema: Schema) -> None:
        found = connect(self.env["MLFLOW_BACKEND_STORE_URI"]).revision(schema.table)
        if found != schema.revisions.head:
            raise TaskError(f"the release is at schema revision {found}; wait until its server is ready")

    def _check_workspaces(self, rows: Rows) -> None:
        from sqlalchemy import text

        found = rows.origin.execute(text(OTHER_WORKSPACE)).scalar()
        if found and not is_enabled(self.env):
            raise TaskError(
                f"the source has experiments or models in the workspace {found}, "
                "which the release would hide; set mlflow.workspaces.enabled"
            )

    def _open_accounts(self, schemas: list[Schema]) -> Any:
        if not schemas:
            raise TaskError("the release has no accounts; set auth.mode: basic, or leave out --accounts")
        return source.sqlite_engine(self.folder / ACCOUNTS, schemas[0], self.notes)


def _target_engine() -> Any:
    import sqlalchemy

    return sqlalchemy.create_engine(
        "postgresql+psycopg2://", poolclass=sqlalchemy.NullPool, hide_parameters=True
    )


def _both(origin: Any, target: Any, names: set[str]) -> Tables:
    """Return the tables of both databases in the target's order, in which none refers to a later one."""
    old = {table.name: table for table in tables.reflect(origin, names)}
    new = {table.name: table for table in tables.reflect(target, names)}
    if missing := sorted(names - set(new)):
        raise TaskError(f"the release has no table {missing[0]}; wait until its server is ready")
    return {name: (old[name], table) for name, table in new.items() if name in old}
