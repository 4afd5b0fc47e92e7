"""Statements that PostgreSQL parses and plans once for a connection. That halves its time for small ones.

Only where a connection is a session of PostgreSQL: behind a pooler, such as PgBouncer in transaction mode,
the next statement may run in another session, which has not prepared it.
"""

import re
import secrets
import time
from typing import Any

PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?s")
# Uses and seconds after which a statement is prepared again: its plan was made for tables of a certain size.
USES, SECONDS = 500, 30.0
# The statement is gone, or its columns have changed: DISCARD ALL, or a migration.
LOST = {"26000", "0A000"}
IS_SESSION, PLANS = "mlflow_kubernetes_is_session", "mlflow_kubernetes_plans"


class Plan:
    """A statement under a name that no other statement has, of this or another pod."""

    def __init__(self, statement: str) -> None:
        self.name = f"mlflow_fast_{secrets.token_hex(8)}"
        self.uses, self.until = USES, time.monotonic() + SECONDS
        places: dict[str, str] = {}  # each placeholder, and its number in PostgreSQL's notation

        def number(found: re.Match[str]) -> str:
            return places.setdefault(found[0] if found[1] else str(len(places)), f"${len(places) + 1}")

        text = PLACEHOLDER.sub(number, statement)
        values = ", ".join(each if each.startswith("%") else "%s" for each in places)
        self.prepare = f"PREPARE {self.name} AS {text}"
        self.execute = f"EXECUTE {self.name} ({values})"

    def use(self) -> bool:
        """Count a use, and return whether it may be used."""
        self.uses -= 1
        return self.uses > 0 and time.monotonic() < self.until


def prepared(pooled: Any, statement: str) -> str:
    """Return what to send in place of a statement, with the same values.

    Args:
        pooled: A connection of SQLAlchemy's pool, in autocommit.
        statement: One statement of SQL with psycopg2's placeholders.
    """
    if IS_SESSION not in pooled.info:
        pooled.info[IS_SESSION] = _is_session(pooled.driver_connection)
    if not pooled.info[IS_SESSION]:
        return statement
    plans: dict[str, Plan] = pooled.info.setdefault(PLANS, {})
    old = plans.get(statement)
    if old and old.use():
        return old.execute
    plan = plans[statement] = Plan(statement)
    drop = f"DEALLOCATE {old.name}; " if old else ""
    return f"{drop}{plan.prepare}; {plan.execute}"


def forget(pooled: Any) -> None:
    """Forget the plans of a connection, which has lost one."""
    pooled.info.pop(PLANS, None)


def _is_session(connection: Any) -> bool:
    """Whether the process that answers began the connection. A pooler gives clients a number of its own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        ((process,),) = cursor.fetchall()
    return bool(process == connection.info.backend_pid)
