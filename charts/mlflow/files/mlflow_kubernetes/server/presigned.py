"""Whether the server offers presigned addresses of the object store, which clients then open themselves.

And how many at once: MLflow makes as many as a client asks for.
"""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

VARIABLE = "MLFLOW_KUBERNETES_PRESIGNED_URLS"
# The kinds of store that MLflow's handlers look for; older versions have fewer.
KINDS = ("MultipartDownloadMixin", "MultipartUploadMixin", "PresignedUploadMixin")
# The parts that an upload to S3 may have.
MAX_PARTS = 10_000


class _NoStore:
    """A kind that no store has."""


def withhold_presigned_urls() -> None:
    """Let MLflow take its store for one without presigned addresses, if the variable is `false`.

    Its clients then learn from `server-info` that files go through the server, and its routes for such
    addresses answer 501.
    """
    if os.environ.get(VARIABLE) != "false":
        return
    from mlflow.server import handlers

    for kind in KINDS:
        if hasattr(handlers, kind):
            setattr(handlers, kind, _NoStore)


def limit_parts() -> None:
    """Refuse uploads of more parts than S3 takes: a thread would make addresses of them until memory ends."""
    from mlflow.server import handlers

    validate = handlers._validate_support_multipart_upload

    @wraps(validate)
    def call(store: Any) -> None:
        validate(store)
        store.create_multipart_upload = _limited(type(store).create_multipart_upload.__get__(store))

    handlers._validate_support_multipart_upload = call


def _limited(create: Callable[..., Any]) -> Callable[..., Any]:
    """Check the number of parts before a store begins an upload."""

    @wraps(create)
    def call(file: str, parts: int = 1, *more: Any) -> Any:
        from mlflow.exceptions import MlflowException
        from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

        if parts > MAX_PARTS:
            wrong = f"Invalid value {parts} for parameter 'num_parts': give at most {MAX_PARTS}."
            raise MlflowException(wrong, INVALID_PARAMETER_VALUE)
        return create(file, parts, *more)

    return call
