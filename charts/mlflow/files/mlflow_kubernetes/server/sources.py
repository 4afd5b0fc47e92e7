"""Which places an account without administrator rights may name for artifacts.

The server reads and writes a model version's source and an experiment's artifact location with its own
credentials. So such an account may name what MLflow's permissions cover, and what
MLFLOW_KUBERNETES_ALLOWED_SOURCES lists.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from mlflow_kubernetes.server import kubernetes_plugin, oidc_plugin
from mlflow_kubernetes.server.messages import check_each

VARIABLE = "MLFLOW_KUBERNETES_ALLOWED_SOURCES"
SOURCES = ("mlflow-artifacts", "runs", "models")
LOCATIONS = ("mlflow-artifacts",)
# Tags of a trace that say where its data is. MLflow sets them; older clients send them back as they were.
TRACE_TAGS = ("mlflow.artifactLocation", "mlflow.trace.archiveLocation")
# A client may choose a trace's id, and MLflow makes a folder of it.
TRACE_ID = re.compile(r"(?!\.+$)[\w.:=+@-]{1,250}", re.ASCII)

URI = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?(?://(?P<host>[^/]*))?(?P<path>.*)")


def active() -> bool:
    """Whether there are accounts, and the server serves artifacts with credentials of its own."""
    login = bool(os.environ.get("MLFLOW_KUBERNETES_APP_NAME"))
    return login and os.environ.get("MLFLOW_SERVE_ARTIFACTS", "").lower() not in ("false", "0", "no", "off")


def install() -> None:
    """Check each request after MLflow has parsed it, whatever its encoding. Call it before the fork."""
    if not active():
        return
    from mlflow.store.tracking import sqlalchemy_store

    more = allowed_prefixes()

    def check(message: Any) -> None:
        _check_trace_id(message)
        for field, value, schemes in named_places(message):
            if not allowed(value, schemes, more) and not _is_administrator():
                _refuse(field, value, schemes)

    check_each(check)
    sqlalchemy_store._validate_trace_tag = _without_places(sqlalchemy_store._validate_trace_tag)


def named_places(message: Any) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The places that a parsed request names: field, value, and the schemes that every account may use."""
    kind = message.DESCRIPTOR.name
    if kind == "CreateExperiment" and message.artifact_location:
        yield "artifact_location", message.artifact_location, _locations(message.artifact_location)
    elif kind == "CreateModelVersion" and not _is_placeholder(message):
        yield "source", message.source, SOURCES
    elif kind in ("CreateWorkspace", "UpdateWorkspace"):
        for field, value in (
            ("default_artifact_root", message.default_artifact_root),
            ("trace_archival_config.location", message.trace_archival_config.location),
        ):
            if value:
                yield field, value, LOCATIONS
    elif kind in ("SetTraceTag", "SetTraceTagV3"):
        yield from _trace_tags([(message.key, message.value)], _trace_id_of_path())
    elif kind == "StartTrace":
        yield from _trace_tags([(tag.key, tag.value) for tag in message.tags], "")
    elif kind == "EndTrace":
        yield from _trace_tags([(tag.key, tag.value) for tag in message.tags], _trace_id_of_path())
    elif kind == "StartTraceV3":
        info = message.trace.trace_info
        yield from _trace_tags(list(info.tags.items()), info.trace_id)


def _locations(location: str) -> tuple[str, ...]:
    """The schemes that an account may use for an experiment: none inside of an experiment or a workspace."""
    first = next(iter((split(unquote(location)) or [])[2:]), "")
    return () if first.isdigit() or first == "workspaces" else LOCATIONS


def _check_trace_id(message: Any) -> None:
    from mlflow.exceptions import MlflowException

    if message.DESCRIPTOR.name == "StartTraceV3":
        trace_id = message.trace.trace_info.trace_id
        if trace_id and not TRACE_ID.fullmatch(trace_id):
            words = f"trace_id: {trace_id[:200]!r} is not the id of a trace; use letters, digits, - and _."
            raise MlflowException.invalid_parameter_value(words)


def _trace_tags(tags: list[tuple[str, str]], trace_id: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the tags that would move a trace's data out of its own folder."""
    for key, value in tags:
        if key in TRACE_TAGS and not _is_own(key, value, trace_id):
            yield key, value, ()


def _is_own(key: str, value: str, trace_id: str) -> bool:
    from mlflow.exceptions import MlflowException
    from mlflow.server import handlers

    if not trace_id:
        return False
    if allowed(value, LOCATIONS, []) and value.endswith(f"/traces/{trace_id}/artifacts"):
        return True
    try:
        return bool(handlers._get_tracking_store().get_trace_info(trace_id).tags.get(key) == value)
    except MlflowException:
        return False


def _trace_id_of_path() -> str:
    from flask import request

    found = request.view_args or {}
    return str(found.get("trace_id") or found.get("request_id") or "")


def _is_placeholder(message: Any) -> bool:
    """Return whether it is a prompt's version, which has one of MLflow's placeholders as its source."""
    from mlflow.server import handlers

    placeholders = getattr(handlers, "_PROMPT_SOURCE_PLACEHOLDERS", ())
    return message.source in placeholders and bool(handlers._is_prompt_request(message))


def _without_places(validate: Callable[..., Any]) -> Callable[..., Any]:
    """Tags come with spans too (OTLP), outside of Flask; MLflow leaves out those that it finds invalid."""

    def validated(key: str, value: str) -> Any:
        from flask import has_request_context
        from mlflow.exceptions import MlflowException

        if key in TRACE_TAGS and not has_request_context():
            raise MlflowException.invalid_parameter_value(f"Tag '{key}' is set by the server.")
        return validate(key, value)

    return validated


def _is_administrator() -> bool:
    """Whether the request's account, which MLflow has checked, is one."""
    from flask import g
    from mlflow.exceptions import MlflowException

    if kubernetes_plugin.enabled():
        return False  # RBAC says who may do what in a namespace, and no one owns the places of all
    if oidc_plugin.enabled():
        from mlflow_oidc_auth.bridge.user import get_fastapi_admin_status

        return bool(get_fastapi_admin_status())
    from mlflow.server.auth import store

    name = g.get("mlflow_authenticated_user")
    try:
        return bool(name) and bool(store.get_user(name).is_admin)
    except MlflowException:
        return False


def _refuse(field: str, value: str, schemes: tuple[str, ...]) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import PERMISSION_DENIED

    instead = "leave it out"
    if schemes:
        names = " or ".join(f"{scheme}:" for scheme in schemes)
        instead = f"use {names}, or ask for its place in artifactStore.allowedSources"
    words = f"{field}: only an administrator may name {value[:200]!r}; {instead}."
    raise MlflowException(words, error_code=PERMISSION_DENIED)


def allowed(uri: str, schemes: tuple[str, ...], more: list[list[str]]) -> bool:
    """Whether a URI names a place under one of the schemes, on this server, or under one of the prefixes."""
    parts = split(uri)
    if parts is None:
        return False
    scheme, host, *_ = parts
    return (scheme in schemes and not host) or any(parts[: len(prefix)] == prefix for prefix in more)


def split(uri: str) -> list[str] | None:
    """Scheme, host and folders of a URI, as they are compared; None for an ambiguous one."""
    found = URI.fullmatch(uri)
    if found is None or not uri.isprintable() or uri != uri.strip() or re.search(r"[\\?#]", uri):
        return None
    decoded = uri
    while (once := unquote(decoded)) != decoded:
        decoded = once
    if ".." in re.split(r"[/\\:?#]", decoded) or not decoded.isprintable():
        return None
    path = found["path"].removeprefix("/").removesuffix("/")
    folders = path.split("/") if path else []
    if "." in folders or "" in folders:
        return None
    return [(found["scheme"] or "").lower(), found["host"] or "", *folders]


def allowed_prefixes() -> list[list[str]]:
    """Return the variable's URIs, split. Exit with a message if one is wrong."""
    found = []
    for uri in filter(None, map(str.strip, os.environ.get(VARIABLE, "").split(","))):
        parts = split(uri)
        if parts is None or not (parts[0] or uri.startswith("/")) or not any(parts[1:]):
            sys.exit(
                f"mlflow: server: {VARIABLE}: {uri!r} is not a place; "
                "set artifactStore.allowedSources to URIs such as s3://bucket/folder."
            )
        found.append(parts)
    return found
