"""Compares the rows of a table in two databases, both in the order of their keys."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlflow_kubernetes.tasks.copying.tables import Row, comparable, key_columns

# Encrypted with the key of a release, or kept from it.
OWN = {("webhooks", "secret"), ("users", "password_hash"), ("users", "is_admin")}


@dataclass
class Count:
    """How many rows the source has, and how many of them are equal in the target; the first that is not."""

    source: int = 0
    equal: int = 0
    different: str = ""


def compare(table: Any, wanted: Iterator[Row], found: Iterator[Row]) -> Count:
    """Compare the rows of the source with those of the target, which may have more."""
    keys, count = [column.name for column in key_columns(table)], Count()
    present = next(found, None)
    for row in wanted:
        key = _key(keys, row)
        while present is not None and _key(keys, present) < key:
            present = next(found, None)
        count.source += 1
        if present is not None and _facts(table, present) == _facts(table, row):
            count.equal += 1
        else:
            count.different = count.different or f"{table.name} {key}"
    return count


def _key(names: list[str], row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _facts(table: Any, row: Row) -> Row:
    facts = {name: value for name, value in row.items() if (table.name, name) not in OWN}
    return comparable(table, facts)
