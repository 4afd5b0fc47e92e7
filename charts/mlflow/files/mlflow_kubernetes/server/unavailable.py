"""Errors of the stores that pass by themselves, answered 503: clients of MLflow repeat that, and not 400."""

from collections.abc import Iterator
from typing import Any

# A read-only database: after a fail-over, before the standby is promoted, or on a full disk of a managed one.
# MLflow answers 503 to an OperationalError only, and psycopg2 calls this an InternalError. The connection may
# lead to a primary that has become a standby, so the pool opens new ones, which lead to the new primary.
PASSING = {"25006"}
# An object store that cannot be reached: names of classes, as its libraries are imported when needed.
UNREACHABLE = {"ConnectionError", "HTTPClientError", "ServiceRequestError", "ServiceResponseError"}
MESSAGE = "The artifact store does not answer; try again."
BODY = {"error_code": "TEMPORARILY_UNAVAILABLE", "message": MESSAGE}


def install(fastapi: Any, flask: Any) -> None:
    """Change what all engines of SQLAlchemy and listings of S3 raise, and how both apps answer. Call it once.

    Args:
        fastapi: MLflow's FastAPI app, which uploads and downloads artifacts, before its first request.
        flask: MLflow's Flask app, which lists and deletes them, before its first request.
    """
    watch_engines()
    _watch_listings()
    fastapi.add_exception_handler(Exception, _answer)
    flask.register_error_handler(500, _answer_of_flask)


def watch_engines() -> None:
    """Change what all engines of SQLAlchemy raise, in a process without an app. Call it once."""
    from sqlalchemy import Engine, event

    event.listen(Engine, "handle_error", _as_operational, retval=True)


def _as_operational(context: Any) -> Exception | None:
    from sqlalchemy.exc import OperationalError

    error = context.original_exception
    if getattr(error, "pgcode", None) not in PASSING:
        return None
    context.is_disconnect = True
    passing: Exception = OperationalError(
        context.statement, None, error, hide_parameters=True, connection_invalidated=True
    )
    return passing


def _watch_listings() -> None:
    """MLflow calls each error of a listing in S3 an internal one. A download begins with a listing."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE
    from mlflow.store.artifact.s3_artifact_repo import S3ArtifactRepository

    theirs = S3ArtifactRepository.list_artifacts

    def list_artifacts(self: Any, path: str | None = None) -> Any:
        try:
            return theirs(self, path)
        except MlflowException as error:
            if _is_temporary(error):
                raise MlflowException(MESSAGE, TEMPORARILY_UNAVAILABLE) from error
            raise

    S3ArtifactRepository.list_artifacts = list_artifacts


async def _answer(_request: Any, error: Exception) -> Any:
    """The answer to an error that no view has expected; the error is still logged."""
    from starlette.responses import JSONResponse, PlainTextResponse

    if _is_temporary(error):
        return JSONResponse(BODY, 503)
    return PlainTextResponse("Internal Server Error", 500)


def _answer_of_flask(error: Any) -> Any:
    """The same for Flask, whose error 500 holds what a view raised; other views ask other servers."""
    from flask import request

    return (BODY, 503) if "artifact" in request.path and _is_temporary(error.original_exception) else error


def _is_temporary(error: BaseException | None) -> bool:
    return any(map(_passes, _chain(error)))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that it was raised for."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _passes(error: BaseException) -> bool:
    """Whether a store could not be reached, or says itself that it cannot serve now."""
    answer = getattr(error, "response", None)
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) if isinstance(answer, dict) else 0
    return status >= 500 or bool(UNREACHABLE & {each.__name__ for each in type(error).__mro__})
