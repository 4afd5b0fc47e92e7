"""Put the guard in front of every login of MLflow's basic-auth; answer, count and log failed logins."""

import json
import math
import os
import secrets
import threading
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any

from mlflow_kubernetes.log import context, logger
from mlflow_kubernetes.log.formatters import as_json
from mlflow_kubernetes.server.guard import SLOT_SECONDS, Guard, Throttled
from mlflow_kubernetes.server.login_limits import Budgets
from mlflow_kubernetes.server.trace_writes import caller

SCOPE_KEY = "mlflow_kubernetes.login"
log = logger("auth")

# Seconds to wait, which a FastAPI request's login appends in its thread when it is throttled.
_refused: ContextVar[list[float] | None] = ContextVar("refused", default=None)


def peer() -> str:
    """Return the client's address as the gate saw it; without the gate, that of the connection."""
    from flask import has_request_context, request

    return context.client.get() or (request.remote_addr if has_request_context() else "") or ""


class FailedLogins:
    """Counts failed logins, and logs one line for each up to a limited rate.

    The metrics need no account, so the counter must not show which accounts exist.
    """

    def __init__(self) -> None:
        self.lines = Budgets(limit=20, per_second=1)
        self.unlogged = 0
        self.lock = threading.Lock()
        self.counter = self._counter()

    @staticmethod
    def _counter() -> Any:
        if not os.environ.get("prometheus_multiproc_dir"):  # noqa: SIM112 (the library's own spelling)
            return None
        from prometheus_client import CollectorRegistry, Counter

        words = "Logins that failed: refused (wrong) or throttled (not checked)"
        unregistered = CollectorRegistry()
        counter = Counter("mlflow_failed_logins_total", words, ("reason",), registry=unregistered)
        for reason in ("refused", "throttled"):
            counter.labels(reason)  # rate() misses the first event of a counter that starts with it
        return counter

    def __call__(self, reason: str, name: str, client: str) -> None:
        """Count a failed login, and log it unless there are too many."""
        if self.counter:
            self.counter.labels(reason).inc()
        with self.lock:
            if self.lines.spent(""):
                self.unlogged += 1
                return
            self.lines.add("")
            more, self.unlogged = self.unlogged, 0
        when = "" if as_json() else datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ ")
        words = f"{when}login of {name[:64]!r} from {client or 'an unknown address'} {reason}"
        log.info(words + (f"; {more} more were not logged." if more else "."))


def as_http(throttled: Throttled) -> Exception:
    """Return the answer of a Flask route, as an exception."""
    from flask import Response
    from werkzeug.exceptions import TooManyRequests

    body, headers = answer(throttled.seconds)
    response = Response(json.dumps(body), 429, headers, mimetype="application/json")
    error: Exception = TooManyRequests(response=response)
    return error


def answer(seconds: float) -> tuple[dict[str, str], dict[str, str]]:
    """Body, in MLflow's form of errors, and headers of a 429. MLflow's clients obey Retry-After."""
    pause = max(1, math.ceil(seconds))
    words = f"Too many failed logins, or too many at once: try again in {pause} s."
    return {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": words}, {"Retry-After": str(pause)}


def install() -> None:
    """Make MLflow check passwords through a Guard. Call it before create_app() and before the fork."""
    from mlflow.server.auth import sqlalchemy_store

    check, make = sqlalchemy_store.check_password_hash, sqlalchemy_store.generate_password_hash
    guard = Guard(check, make(secrets.token_urlsafe()), FailedLogins())
    sqlalchemy_store.check_password_hash = guard.remembered
    sqlalchemy_store.generate_password_hash = limit_hashing(guard, make)
    _guard_store(sqlalchemy_store, guard)
    _guard_fastapi()


def limit_hashing(guard: Guard, make: Callable[[str], str]) -> Callable[[str], str]:
    """Return a function that hashes a new password, within the limit on hashes at a time."""

    def made(password: str) -> str:
        if not guard.slots.take(SLOT_SECONDS):
            raise as_http(Throttled(1))
        try:
            return make(password)
        finally:
            guard.slots.give()

    return made


def _guard_store(sqlalchemy_store: Any, guard: Guard) -> None:
    """Guard every login of both apps, and the check of the old password when it is changed."""
    from mlflow.exceptions import MlflowException

    plain = sqlalchemy_store.SqlAlchemyStore.authenticate_user

    def authenticate_user(store: Any, username: str, password: str, *, use_primary: bool = False) -> bool:
        if use_primary:  # the server's own check while it starts
            return bool(plain(store, username, password, use_primary=True))
        if not isinstance(username, str) or not isinstance(password, str) or "\0" in username:
            return False  # another scheme than Basic, or a name that no database stores
        with store.ManagedSessionMaker(read_only=True) as session:
            try:
                stored = store._get_user(session, username).password_hash
            except MlflowException:
                stored = None
        try:
            return guard.login(username, stored, password, peer())
        except Throttled as throttled:
            refused = _refused.get()
            if refused is not None:
                refused.append(throttled.seconds)
            raise as_http(throttled) from None

    sqlalchemy_store.SqlAlchemyStore.authenticate_user = authenticate_user


def _guard_fastapi() -> None:
    """Log in before MLflow's FastAPI app does, which hashes on its event loop and can only answer 401."""
    from mlflow.server import auth

    log_in, add = auth._authenticate_fastapi_request, auth.add_fastapi_permission_middleware
    cached = auth._authenticate_cached

    def known(request: Any) -> Any:
        found = request.scope.get(SCOPE_KEY)
        return log_in(request) if found is None else found[0]

    def cached_or_none(username: Any, password: Any) -> Any:
        # None with another scheme than Basic; MLflow's cache would raise.
        return None if username is None or password is None else cached(username, password)

    def add_both(app: Any) -> None:
        add(app)
        app.add_middleware(LogInFirst, auth=auth, log_in=log_in)  # Starlette runs the last one first

    auth._authenticate_cached = cached_or_none
    auth._authenticate_fastapi_request = known
    auth.add_fastapi_permission_middleware = add_both


class LogInFirst:
    """Runs MLflow's login of a FastAPI request in a thread, where a hash blocks no other request."""

    def __init__(self, app: Any, auth: Any, log_in: Callable[[Any], Any]) -> None:
        self.app, self.auth, self.log_in = app, auth, log_in

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Log in where MLflow would, and pass the request on."""
        from starlette.concurrency import run_in_threadpool
        from starlette.requests import Request
        from starlette.responses import JSONResponse

        if scope["type"] == "http" and self._needs_login(Request(scope)):
            refused: list[float] = []

            def log_in() -> Any:
                _refused.set(refused)  # of this call: the thread has a copy of the context
                context.client.set(context.client.get() or (scope.get("client") or [""])[0])
                return self.log_in(Request(scope))

            scope[SCOPE_KEY] = (await run_in_threadpool(log_in),)
            if user := scope[SCOPE_KEY][0]:
                caller.set(user.username)
            if refused:
                body, headers = answer(refused[0])
                await JSONResponse(body, 429, headers)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _needs_login(self, request: Any) -> bool:
        """Return whether MLflow's own middleware will check the account, by its own rules."""
        path = self.auth.get_routed_asgi_path(request)
        return (
            self.auth.auth_config.authorization_function == self.auth.DEFAULT_AUTHORIZATION_FUNCTION
            and not self.auth.is_unprotected_route(path)
            and self.auth._find_fastapi_validator(path, request.method) is not None
        )
