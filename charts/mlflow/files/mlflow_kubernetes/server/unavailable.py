"""Errors of the database that pass by themselves. Clients of MLflow repeat what is answered 503, not 400."""

from typing import Any

# A read-only database: after a fail-over, before the standby is promoted, or on a full disk of a managed one.
# MLflow answers 503 to an OperationalError only, and psycopg2 calls this an InternalError.
PASSING = {"25006"}


def install() -> None:
    """Change what all engines of SQLAlchemy raise. Call it once."""
    from sqlalchemy import Engine, event

    event.listen(Engine, "handle_error", _as_operational, retval=True)


def _as_operational(context: Any) -> Exception | None:
    from sqlalchemy.exc import OperationalError

    error = context.original_exception
    if getattr(error, "pgcode", None) not in PASSING:
        return None
    passing: Exception = OperationalError(context.statement, None, error, hide_parameters=True)
    return passing
