"""The facts of a backup, read from the object store. Any account that may write there can have written them.

Table names are quoted as PostgreSQL's `format('%I.%I')` does it. They are parsed here, so that
code that uses them quotes them again.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from mlflow_kubernetes.tasks.task import TaskError

Facts = dict[str, Any]
MAX_FACTS_BYTES = 1 << 20
"""Bytes; the facts of a thousand tables are a tenth of it."""
_IDENTIFIER = r'([a-z_][a-z0-9_$]*|"(?:[^"\x00]|"")+")'
_TABLE = re.compile(rf"{_IDENTIFIER}\.{_IDENTIFIER}")


def parse_facts(name: str, text: bytes) -> Facts:
    """Return the facts of the backup of that name; TaskError if a backup would not have written them."""
    try:
        found = json.loads(text)
        parse_table_names(found["rows"])
        facts = {
            "mlflow": _text(found["mlflow"]),
            "revision": _text(found["revision"] or ""),
            "server": _text(found["server"]),
            "rows": {table: _count(rows) for table, rows in found["rows"].items()},
            "name": name,
            "size": _count(found["size"]),
            "sha256": re.fullmatch(r"[0-9a-f]{64}", found["sha256"])[0],  # type: ignore[index]
        }
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise TaskError(f"{name}.json was not written by a backup; take another backup.") from error
    return facts


def parse_table_names(rows: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """Return the rows by schema and table, without quotes; ValueError if a name is not properly quoted."""
    found = {}
    for text, count in rows.items():
        name = _TABLE.fullmatch(text)
        if not name:
            raise ValueError(text)
        text.encode()  # a ValueError for half a surrogate pair
        found[_unquoted(name[1]), _unquoted(name[2])] = count
    return found


def _unquoted(identifier: str) -> str:
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise ValueError(value)
    return value


def _text(value: str) -> str:
    if not value.isprintable() or len(value) > 300:
        raise ValueError(value)
    return value
