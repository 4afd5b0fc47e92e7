"""Separates the logins of the two servers of an import.

MLflow sends MLFLOW_TRACKING_USERNAME, _PASSWORD and _TOKEN to every server that it talks to. The source is
another server, often of other people: it gets a login of its own (MLFLOWOPS_SOURCE_...), never the target's.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import SplitResult, urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

AUTH_NAME = "mlflowops-import"
AUTH_VARIABLE = "MLFLOW_TRACKING_AUTH"
# A source must not choose what the caller's machine fetches, by a redirect or by an address to download from.
STRICT_SETTINGS = {
    "MLFLOW_ALLOW_HTTP_REDIRECTS": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
}
_PORTS = {"http": 80, "https": 443}


class Login(AuthBase):
    """Keeps the login that MLflow chose for requests to the target, and takes it from all others."""

    def __init__(self, source: str, target: str, auth_name: str | None) -> None:
        self.source = source
        self.target = target
        self.auth_name = auth_name

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the login of a request."""
        url = str(request.url)
        if len(_path_below(url, self.target)) > len(_path_below(url, self.source)):
            return self._add_target_login(request)
        request.headers.pop("Authorization", None)
        return self._add_source_login(request) if _path_below(url, self.source) else request

    def _add_target_login(self, request: PreparedRequest) -> PreparedRequest:
        from mlflow.tracking.request_auth.registry import fetch_auth

        found: Any = fetch_auth(self.auth_name) if self.auth_name else None
        return found(request) if found else request

    def _add_source_login(self, request: PreparedRequest) -> PreparedRequest:
        user, token = os.environ.get("MLFLOWOPS_SOURCE_USERNAME"), os.environ.get("MLFLOWOPS_SOURCE_TOKEN")
        if user:
            return HTTPBasicAuth(user, os.environ.get("MLFLOWOPS_SOURCE_PASSWORD", ""))(request)
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        return request


@contextmanager
def separate_logins(source: str, target: str) -> Iterator[None]:
    """Give each server its own login for the block; change nothing if the source is not a server."""
    if not source.startswith(("http://", "https://")):
        yield
        return
    before = dict(os.environ)
    _register(Login(source, target, before.get(AUTH_VARIABLE)))
    os.environ.update({AUTH_VARIABLE: AUTH_NAME, **STRICT_SETTINGS})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _register(login: Login) -> None:
    """Register it in MLflow; it replaces that of an earlier import of this process."""
    from mlflow.tracking.request_auth.abstract_request_auth_provider import RequestAuthProvider
    from mlflow.tracking.request_auth.registry import _request_auth_provider_registry as registry

    class Provider(RequestAuthProvider):  # type: ignore[misc]
        def get_name(self) -> str:
            return AUTH_NAME

        def get_auth(self) -> Login:
            return login

    registry._registry[:] = [each for each in registry if each.get_name() != AUTH_NAME]
    registry.register(Provider)


def _path_below(url: str, server: str) -> str:
    """The part of the path that is the server's, with a slash; nothing if the address is another server's."""
    found, base = urlsplit(url), urlsplit(server)
    path = base.path.rstrip("/") + "/"
    return path if _origin(found) == _origin(base) and f"{found.path}/".startswith(path) else ""


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)
