"""Sends HTTP requests to a tracking server.

Plain requests, not MLflow's client: that takes seconds to import, retries for minutes, and goes around the
server to the object store, which may not be reachable from here.
"""

import os
from typing import Any

import requests

from mlflowops.address import without_password


class ServerClient:
    """A client of a tracking server, with the credentials of MLflow's variables (MLFLOW_TRACKING_...).

    `session` may know a way of its own to that URL; `where` is then what people call the place.
    """

    def __init__(
        self, url: str, seconds: float | None, session: requests.Session | None = None, where: str = ""
    ) -> None:
        self.url = url.rstrip("/")
        self.where = where or without_password(self.url)
        self.seconds = seconds
        self._session = session or requests.Session()
        token, user = os.environ.get("MLFLOW_TRACKING_TOKEN"), os.environ.get("MLFLOW_TRACKING_USERNAME")
        if user:
            self._session.auth = (user, os.environ.get("MLFLOW_TRACKING_PASSWORD", ""))
        elif token:
            self._session.headers["Authorization"] = f"Bearer {token}"
        if workspace := os.environ.get("MLFLOW_WORKSPACE"):
            self._session.headers["X-MLFLOW-WORKSPACE"] = workspace

    def request(self, method: str, path: str, **what: Any) -> requests.Response:
        """Send one request and return the response, whatever its status."""
        return self._session.request(method, self.url + path, timeout=self.seconds, **what)

    def request_ok(self, method: str, path: str, **what: Any) -> requests.Response:
        """Send one request and return the response.

        Raises:
            HTTPError: The status is 400 or more.
        """
        answer = self.request(method, path, **what)
        answer.raise_for_status()
        return answer
