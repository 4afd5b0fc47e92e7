"""Reading the rows of one page of a search for runs."""

from typing import Any

from mlflow_kubernetes.server.fast.page_token import PageToken
from mlflow_kubernetes.server.fast.run_text import run_id, start_time
from mlflow_kubernetes.server.fast.search import parse_search
from mlflow_kubernetes.server.fast.search_statements import SearchStatements, Statement
from mlflow_kubernetes.server.fast.statements import fetch
from mlflow_kubernetes.server.fast.unusual import Unusual


def search_rows(engine: Any, request: Any, experiment_ids: list[str]) -> tuple[list[Any], str]:
    """Find the runs of a page.

    Args:
        engine: SQLAlchemy's engine.
        request: The SearchRuns message, which MLflow has checked.
        experiment_ids: Those of the request that the account may read.

    Returns:
        The values of COLUMNS of each run, and the token of the next page, "" if there is none.

    Raises:
        Unusual: The filter or the order is not among the usual ones.
    """
    token, statements = _parse(request, experiment_ids)
    size = statements.size
    rows = _fetch(engine, statements)
    if len(rows) <= size:
        return rows, ""
    last = rows[size - 1]
    start = start_time(last) if statements.keeps_place else None
    after = None if start is None else (start, run_id(last))
    return rows[:size], PageToken(token.offset + size, after).write(request)


def _parse(request: Any, experiment_ids: list[str]) -> tuple[PageToken, SearchStatements]:
    from mlflow.exceptions import MlflowException

    try:
        search = parse_search(request, experiment_ids)
        token = PageToken.read(request)
        return token, SearchStatements(search, token, request.max_results)
    except (MlflowException, Unusual):
        raise
    except Exception as error:  # MLflow's parsers stumble over it, and its store writes the error
        raise Unusual("not parsed") from error


def _fetch(engine: Any, statements: SearchStatements) -> list[Any]:
    shortcut = statements.shortcut()
    if shortcut and (shortcut.needed is None or _is_true(engine, shortcut.needed)):
        rows = _rows(engine, shortcut.page)
        if len(rows) > statements.size or (shortcut.more and not _is_true(engine, shortcut.more)):
            return rows
    return _rows(engine, statements.complete())


def _rows(engine: Any, statement: Statement) -> list[Any]:
    return fetch(engine, statement.text, statement.values)


def _is_true(engine: Any, statement: Statement) -> bool:
    ((found,),) = _rows(engine, statement)
    return bool(found)
