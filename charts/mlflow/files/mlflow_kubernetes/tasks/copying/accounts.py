"""Accounts of basic-auth: those of the source, and the release's own passwords of the same names."""

from typing import Any

from mlflow_kubernetes.tasks.copying.sequences import set_sequences
from mlflow_kubernetes.tasks.copying.tables import columns, read

USER = ["username", "password_hash", "is_admin"]


def own_accounts(into: Any, users: Any) -> list[dict[str, Any]]:
    """Return the accounts that the release has, such as its administrator's."""
    return list(read(into, users, USER))


def write_accounts(origin: Any, into: Any, tables: dict[str, tuple[Any, Any]]) -> None:
    """Replace the accounts and what they may do; an account that the release has keeps its password.

    Args:
        origin: Connection to the source.
        into: Connection to the target, in a transaction.
        tables: Tables of both by their names, in the order in which they refer.
    """
    users = tables["users"][1]
    own = {account["username"]: account for account in own_accounts(into, users)}
    for _, new in reversed(tables.values()):
        into.execute(new.delete())
    for name, (old, new) in tables.items():
        rows = list(read(origin, old, [column.name for column in columns(old)]))
        if name == "users":
            rows = [{**row, **own.pop(row["username"], {})} for row in rows]
            number = max((row["id"] for row in rows), default=0)
            rows += [{"id": number + step, **account} for step, account in enumerate(own.values(), 1)]
        if rows:
            into.execute(new.insert(), rows)
        set_sequences(into, new)
