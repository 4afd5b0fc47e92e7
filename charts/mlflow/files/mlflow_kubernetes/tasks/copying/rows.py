"""Copies all rows in one transaction of the target, and compares them before its end."""

from collections.abc import Iterator
from typing import Any

from mlflow_kubernetes.tasks.copying.comparison import Count, compare
from mlflow_kubernetes.tasks.copying.places import Places
from mlflow_kubernetes.tasks.copying.sequences import set_sequences
from mlflow_kubernetes.tasks.copying.tables import Row, batches, columns, key_columns, read
from mlflow_kubernetes.tasks.task import TaskError

# An empty release has rows in them: the experiment Default, and the workspace of all that has none.
PLACEHOLDERS = ("experiment_tags", "experiments", "workspaces")
# When these were made says whether they are those of the source.
IDENTITY = {"experiments": "creation_time", "runs": "start_time", "registered_models": "creation_time"}
LIMITS = ("SET LOCAL statement_timeout = 0", "SET LOCAL lock_timeout = '60s'")
LOCK = "SELECT pg_advisory_xact_lock(hashtext('mlflow_kubernetes.copy'))"


class Rows:
    """The tables of a source, and the same ones of the target.

    Args:
        origin: Connection to the source.
        into: Connection to the target, in a transaction.
        tables: Tables of the source and of the target by their names, in the order in which they refer.
        places: New addresses of artifacts.
    """

    def __init__(self, origin: Any, into: Any, tables: dict[str, tuple[Any, Any]], places: Places) -> None:
        self.origin = origin
        self.into = into
        self.tables = tables
        self.places = places

    def lock(self) -> None:
        """Block other writers of the tables until the end of the transaction; reading stays possible."""
        from sqlalchemy.exc import OperationalError

        names = ", ".join(f'"{name}"' for name in self.tables)
        tables = f"LOCK TABLE {names} IN EXCLUSIVE MODE"
        try:
            for statement in (*LIMITS, LOCK, tables):
                self.into.exec_driver_sql(statement)
        except OperationalError as error:
            wrong = "other clients write to it; stop the clients of the release, or wait for the other copy"
            raise TaskError(wrong) from error

    def is_copied(self) -> bool:
        """Return whether the target holds this source already; TaskError if it holds anything else."""
        found = self._first_row()
        if found and not all(self._holds(name, column) for name, column in IDENTITY.items()):
            raise TaskError(
                f"the release is not empty, it has rows in {found}; copy into a new release with an empty "
                "database, or use `mlflowops import`, which gives runs new ids"
            )
        return bool(found)

    def write(self) -> Iterator[dict[str, Any]]:
        """Write all rows, and yield how many so far."""
        for name in PLACEHOLDERS:
            self.into.execute(self.tables[name][1].delete())
        for name, (old, new) in self.tables.items():
            wanted, rows = [column.name for column in columns(old)], 0
            for batch in batches(read(self.origin, old, wanted)):
                self.into.execute(new.insert(), [self.places.rewrite(name, row) for row in batch])
                rows += len(batch)
                yield {"table": name, "rows": rows}
            set_sequences(self.into, new)

    def compare(self, name: str) -> Count:
        """Compare a table of both, row by row."""
        old, new = self.tables[name]
        return compare(new, self._source_rows(name, old), self._target_rows(old, new))

    def _source_rows(self, name: str, old: Any) -> Iterator[Row]:
        names = [column.name for column in columns(old)]
        for row in read(self.origin, old, names, by_key=True):
            yield self.places.rewrite(name, row)

    def _target_rows(self, old: Any, new: Any) -> Iterator[Row]:
        return read(self.into, new, [column.name for column in columns(old)], by_key=True)

    def _first_row(self) -> str | None:
        """Return a table of the target that has rows which no empty release has."""
        for name, (_, new) in self.tables.items():
            if name not in PLACEHOLDERS and self.into.execute(new.select().limit(1)).first():
                return name
        experiments = self.tables["experiments"][1]
        more = experiments.select().where(experiments.columns["experiment_id"] != 0).limit(1)
        return "experiments" if self.into.execute(more).first() else None

    def _holds(self, name: str, column: str) -> bool:
        old, new = self.tables[name]
        names = [*[each.name for each in key_columns(old)], column]
        count = compare(
            new,
            read(self.origin, old, names, by_key=True),
            read(self.into, new, names, by_key=True),
        )
        return count.equal == count.source
