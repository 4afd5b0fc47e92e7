"""MLflow's own `server` command as set-up for our launcher and the jobs runner."""

import ctypes
import importlib
import json
import os
import sys
from collections.abc import Callable
from signal import SIGKILL
from typing import Any, NoReturn

from mlflow_kubernetes.log import logger
from mlflow_kubernetes.log.setup import format_handlers, log_exit

PR_SET_PDEATHSIG = 1  # of linux/prctl.h
# What the command opens, and the server needs open. A version that lacks one does not call it.
OPENS = (
    ("mlflow.server.handlers", "initialize_backend_stores"),
    ("mlflow.server.handlers", "initialize_workspace_store"),
    ("mlflow.server", "_bootstrap_basic_auth"),
)


class Failed(Exception):
    """Why the command did not reach its web server."""


class _WouldStart(Exception):
    """Carries the environment that `mlflow server` was about to give to its web server."""


def prepare(app_name: str, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Take over the environment that MLflow's own command line gives to its web server, and open the stores.

    Its checks, its defaults and the account of basic-auth's administrator stay MLflow's own code, in every
    version. It runs in a child process: the module has all of MLflow's commands, 6 MiB that no request needs.

    Args:
        app_name: MLflow's name of the app, empty for the one without a login.
        meanwhile: What to do while the child works.
    """
    importlib.import_module("mlflow.server.handlers")  # before the fork, so that it is imported once
    parent = os.getpid()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        _end_with(parent)
        _answer(app_name, writer)
    os.close(writer)
    meanwhile()
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    if code := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        sys.exit(max(code, 1))
    found = json.loads(answer)
    if "error" in found:
        raise Failed(found["error"])
    os.environ.update(found["environment"])
    format_handlers()
    for module, name, positional, named in found["opens"]:
        _open(getattr(sys.modules[module], name), positional, named)


def _open(function: Callable[..., Any], positional: list[Any], named: dict[str, Any]) -> None:
    """Call it; a failure is logged and ends the process with 1, as it does in MLflow's command."""
    try:
        function(*positional, **named)
    except Exception as error:
        logger("server").exception(error)
        sys.exit(1)


def _end_with(parent: int) -> None:
    """In the child: end when the parent does, whatever ends it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _answer(app_name: str, writer: int) -> NoReturn:
    """In the child: run the command, write what it found as JSON, and end."""
    found = None
    try:
        found = _run(app_name)
    except SystemExit as end:
        log_exit(end)
    except Exception as error:
        logger("server").exception(error)
        found = {"error": str(error).strip() or type(error).__name__}
    finally:
        if found:
            with os.fdopen(writer, "w") as pipe:
                json.dump(found, pipe)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0 if found else 1)  # what Python does at its end belongs to the parent


def _run(app_name: str) -> dict[str, Any]:
    """Run the command up to the point where it starts a web server, without opening what it opens."""
    import mlflow.cli
    import mlflow.server

    format_handlers()
    opens: list[Any] = []
    for module, name in OPENS:
        if hasattr(sys.modules[module], name):
            setattr(sys.modules[module], name, _recorder(opens, module, name))

    def take_over(_command: list[str], *, extra_env: dict[str, str], **_: Any) -> None:
        raise _WouldStart(extra_env)

    mlflow.server._exec_cmd = take_over
    given: dict[str, str] = {}
    try:
        mlflow.cli.server.main(["--app-name", app_name] if app_name else [], standalone_mode=False)
    except _WouldStart as would_start:
        given = would_start.args[0]
    return {"environment": {**os.environ, **given}, "opens": opens}


def _recorder(opens: list[Any], module: str, name: str) -> Callable[..., None]:
    def record(*positional: Any, **named: Any) -> None:
        opens.append([module, name, positional, named])

    return record
