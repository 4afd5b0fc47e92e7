"""MLflow's own SELECT, with its filters and its order, and with columns of ours."""

from collections.abc import Iterable
from typing import Any

from mlflow_kubernetes.server.fast.statements import fetch


def fetch_select(engine: Any, select: Any, columns: Iterable[Any], around: str = "{page}") -> list[Any]:
    """Run a SELECT that MLflow has built, and return its rows.

    Args:
        engine: SQLAlchemy's engine, whose pool is MLflow's.
        select: SQLAlchemy's statement.
        columns: SQL in place of the statement's columns, in which tables have no short names, or SQLAlchemy's
            own columns.
        around: SQL around the statement, which is its `{page}`.
    """
    from sqlalchemy import literal_column

    wanted = (literal_column(each) if isinstance(each, str) else each for each in columns)
    ours = select.with_only_columns(*wanted, maintain_column_froms=True)
    # As SQLAlchemy's own connections do it: a statement of the same form is compiled once.
    compiled, values, *_ = ours._compile_w_cache(
        engine.dialect,
        compiled_cache=engine._compiled_cache,
        column_keys=[],
        for_executemany=False,
        schema_translate_map=None,
    )
    state = compiled.construct_expanded_state(compiled.construct_params(extracted_parameters=values))
    return fetch(engine, around.replace("{page}", state.statement), state.parameters)
