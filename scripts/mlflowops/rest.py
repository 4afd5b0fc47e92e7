"""Calls of the tracking server's API for which MLflow's client has no method."""

import os
from dataclasses import dataclass
from typing import Any

from mlflowops import tracking

SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """An answer of the server: its status, its JSON, and what it says where it refuses."""

    status: int
    data: dict[str, Any]
    detail: str

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked to do."""
        return self.status < 400


def connect() -> str:
    """Return the address of the server at MLFLOW_TRACKING_URI, after a check that it answers.

    Raises:
        OpsError: The variable is not set, or the server does not answer.
    """
    tracking.client()
    return os.environ[tracking.VARIABLE]


def call(address: str, method: str, path: str, **options: Any) -> Answer:
    """Call the API once, with the login and the certificates of MLflow's own client.

    Args:
        address: address of the server.
        method: method of HTTP.
        path: path, which begins with /api/.
        options: `json` is the body, `params` the query.

    Returns:
        The answer, also a refusal.
    """
    from mlflow.tracking._tracking_service.utils import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    creds = get_default_host_creds(address)
    once = {"max_retries": 0, "timeout": SECONDS, "raise_on_status": False}
    answer = http_request(creds, path, method, **once, **options)
    try:
        data = answer.json()
    except ValueError:
        data = {}
    said = data if isinstance(data, dict) else {}
    detail = said.get("detail") or said.get("message") or answer.reason
    return Answer(answer.status_code, said, " ".join(str(detail).split()).rstrip("."))
