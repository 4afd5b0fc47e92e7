"""Whether the server offers presigned addresses of the object store, which clients then open themselves."""

import os

VARIABLE = "MLFLOW_KUBERNETES_PRESIGNED_URLS"
# The kinds of store that MLflow's handlers look for; older versions have fewer.
KINDS = ("MultipartDownloadMixin", "MultipartUploadMixin", "PresignedUploadMixin")


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
