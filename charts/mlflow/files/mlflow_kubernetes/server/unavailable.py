"""Errors of the stores that pass by themselves, answered 503: clients of MLflow repeat that, and not 400.

What the object store forbids is answered 403, which clients do not repeat: it does not pass.
"""

import os
from collections.abc import Callable, Iterator
from errno import EDQUOT, ENOSPC
from functools import wraps
from typing import Any

# A read-only database: after a fail-over, before the standby is promoted, or on a full disk of a managed one.
# MLflow answers 503 to an OperationalError only, and psycopg2 calls this an InternalError. The connection may
# lead to a primary that has become a standby, so the pool opens new ones, which lead to the new primary.
PASSING = {"25006"}
# An object store that cannot be reached: names of classes, as its libraries are imported when needed.
UNREACHABLE = {"ConnectionError", "HTTPClientError", "ServiceRequestError", "ServiceResponseError"}
# The modules of the errors of Azure's and Google's libraries, which hold the status of an answer.
CLOUDS = ("azure.", "google.")
# This pod's clock is too far from the store's: another pod's may be right.
SKEWED = "RequestTimeTooSkewed"
MESSAGE = "The artifact store does not answer; try again."
FULL = "A disk of this server is full; try again."
NO_DATABASE = "The database does not answer; try again."
FORBIDDEN = "The artifact store does not allow this to the server: {}."
# All tries and the pauses between them end before a client or an Ingress gives up, which is after 60 s.
CONNECT_SECONDS, READ_SECONDS, TRIES = 5, 15, 3


def install(fastapi: Any, flask: Any) -> None:
    """Change what engines of SQLAlchemy and object stores raise, and how both apps answer. Call it once.

    Args:
        fastapi: MLflow's FastAPI app, which uploads and downloads artifacts, before its first request.
        flask: MLflow's Flask app, which lists and deletes them, before its first request.
    """
    watch_engines()
    _watch_stores()
    fastapi.add_exception_handler(Exception, _answer)
    flask.register_error_handler(500, _answer_of_flask)


def watch_engines() -> None:
    """Change what all engines of SQLAlchemy raise, in a process without an app. Call it once."""
    from sqlalchemy import Engine, event

    event.listen(Engine, "handle_error", _as_operational, retval=True)


def _as_operational(context: Any) -> Exception | None:
    """What to raise for a connection that is lost, whatever psycopg2 calls it, or that takes no writes."""
    from sqlalchemy.exc import OperationalError

    error = context.original_exception
    if getattr(error, "pgcode", None) in PASSING:
        context.is_disconnect = True
    elif not context.is_disconnect or isinstance(context.sqlalchemy_exception, OperationalError):
        return None
    passing: Exception = OperationalError(
        context.statement, None, error, hide_parameters=True, connection_invalidated=True
    )
    return passing


def _watch_stores() -> None:
    """MLflow calls each error of a listing or download an internal one, and waits 60 s for S3 to connect."""
    from mlflow.store.artifact import s3_artifact_repo
    from mlflow.store.artifact.azure_blob_artifact_repo import AzureBlobArtifactRepository
    from mlflow.store.artifact.azure_data_lake_artifact_repo import AzureDataLakeArtifactRepository
    from mlflow.store.artifact.gcs_artifact_repo import GCSArtifactRepository

    stores = (
        s3_artifact_repo.S3ArtifactRepository,
        AzureBlobArtifactRepository,
        AzureDataLakeArtifactRepository,
        GCSArtifactRepository,
    )
    changes = [(store, name, _telling) for store in stores for name in ("list_artifacts", "_download_file")]
    for owner, name, change in (*changes, (s3_artifact_repo, "_get_s3_client", _impatient)):
        if hasattr(owner, name):  # another MLflow may have other private names
            setattr(owner, name, change(getattr(owner, name)))


def _telling(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method of a store say that its error is temporary, or that the store forbids the call."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import ErrorCode

    @wraps(method)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return method(*arguments, **named)
        except Exception as error:
            if told := _told(error):
                body, _ = told
                raise MlflowException(body["message"], ErrorCode.Value(body["error_code"])) from error
            raise

    return call


def _impatient(get_client: Callable[..., Any]) -> Callable[..., Any]:
    """Let clients of S3 try again after seconds: the address of a store may be gone, or its process hang."""

    @wraps(get_client)
    def call(*arguments: Any, **named: Any) -> Any:
        from botocore.config import Config

        defaults: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}
        if not os.environ.get("AWS_MAX_ATTEMPTS"):
            defaults["retries"] = {"total_max_attempts": TRIES}
        Config.OPTION_DEFAULTS.update(defaults)
        return get_client(*arguments, **named)

    return call


async def _answer(request: Any, error: Exception) -> Any:
    """The answer to an error that no view has expected; the error is still logged."""
    from starlette.responses import JSONResponse, PlainTextResponse

    told = _told(error, stores=_asks_a_store(request.scope["path"]))
    return JSONResponse(*told) if told else PlainTextResponse("Internal Server Error", 500)


def _answer_of_flask(error: Any) -> Any:
    """The same for Flask, whose error 500 holds what a view raised."""
    from flask import request

    return _told(error.original_exception, stores=_asks_a_store(request.path)) or error


def _asks_a_store(path: str) -> bool:
    """Whether a route reads or writes artifacts; others, such as the gateway's, ask other servers."""
    return "artifact" in path


def _told(error: BaseException | None, stores: bool = True) -> tuple[dict[str, str], int] | None:
    """Body and status of the answer; None if nothing is known about the error, or only for a store's."""
    for passes, words in ((is_full, FULL), (_is_of_database, NO_DATABASE)):
        if passes(error):
            return _body("TEMPORARILY_UNAVAILABLE", words), 503
    if stores and _is_temporary(error):
        return _body("TEMPORARILY_UNAVAILABLE", MESSAGE), 503
    code = next(filter(None, map(_forbidden, _chain(error))), "")
    return (_body("PERMISSION_DENIED", FORBIDDEN.format(code)), 403) if stores and code else None


def _is_of_database(error: BaseException | None) -> bool:
    """Whether the database failed. MLflow then ends other open transactions, which fails too."""
    from sqlalchemy.exc import OperationalError

    return any(isinstance(each, OperationalError) for each in _chain(error))


def _body(code: str, message: str) -> dict[str, str]:
    return {"error_code": code, "message": message}


def is_full(error: BaseException | None) -> bool:
    """Whether a disk had no room; that of another pod may have."""
    return any(isinstance(each, OSError) and each.errno in (ENOSPC, EDQUOT) for each in _chain(error))


def _forbidden(error: BaseException) -> str:
    """The store's reason for a 403, such as AccessDenied; empty if it may be the clock, as S3 after HEAD."""
    code = str(_s3_answer(error).get("Error", {}).get("Code", ""))
    if type(error).__module__.startswith(CLOUDS):
        reason = getattr(error, "error_code", None) or type(error).__name__
        code = str(getattr(reason, "value", reason))  # Azure's are of an Enum
    return code if _status(error) == 403 and code != "403" else ""


def _is_temporary(error: BaseException | None) -> bool:
    return any(map(_passes, _chain(error)))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that it was raised for."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _passes(error: BaseException) -> bool:
    """Whether a store could not be reached, or says itself that it cannot serve now."""
    skewed = _s3_answer(error).get("Error", {}).get("Code") == SKEWED
    return (
        skewed or _status(error) >= 500 or bool(UNREACHABLE & {each.__name__ for each in type(error).__mro__})
    )


def _s3_answer(error: BaseException) -> dict[str, Any]:
    """What S3 answered, as botocore's errors hold it; empty for other errors."""
    answer = getattr(error, "response", None)
    return answer if isinstance(answer, dict) else {}


def _status(error: BaseException) -> int:
    """The status of an answer of S3, Azure or Google; 0 for other errors."""
    status = _s3_answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode")
    if type(error).__module__.startswith(CLOUDS):
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
    return int(status or 0)
