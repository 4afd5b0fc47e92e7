"""The direct launcher: MLflow's apps, set up before the fork, in uvicorn workers under gunicorn's arbiter."""

import ctypes
import gc
import logging
import os
import sys
from contextlib import contextmanager, suppress
from signal import SIG_BLOCK, SIG_UNBLOCK, SIGTERM, pthread_sigmask
from typing import Any

# Imported before MLflow, which switches its security middleware on when it sees gunicorn.
import gunicorn  # noqa: F401
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from mlflow_kubernetes.addresses import every_address
from mlflow_kubernetes.log import logger
from mlflow_kubernetes.log.setup import format_handlers
from mlflow_kubernetes.server import request_metrics, sockets
from mlflow_kubernetes.server.apps import Misconfigured, open_apps
from mlflow_kubernetes.server.audit.audit_log import open_audit_log
from mlflow_kubernetes.server.compressed import compressed
from mlflow_kubernetes.server.gate import LEAVING, Gate

EVERY = "0.0.0.0"  # noqa: S104 - as the chart and `mlflow server` say it


def serve() -> None:
    """Open MLflow, then serve it until SIGTERM. A failure is one sentence and a non-zero exit code."""
    with suppress(FileNotFoundError):  # a container that was restarted in its pod finds the old file
        LEAVING.unlink()
    try:
        options = settings()
        host, port = os.environ.get("MLFLOW_HOST") or "127.0.0.1", _number("MLFLOW_PORT", 5000)
        host = every_address() if host == EVERY else host
        # A probe that connects during the imports is answered by the first worker, not at the next period.
        options["bind"] = sockets.listen(host, port, options["workers"])
        apps = open_apps(os.environ.get("MLFLOW_KUBERNETES_APP_NAME", ""))
        gate = Gate(compressed(apps), open_audit_log(apps.flask.app, apps.fastapi.app))
    except Misconfigured as error:
        sys.exit(f"mlflow: server: {error}.")
    except SystemExit:
        sys.exit("mlflow: server: MLflow could not open its stores; the lines above say why.")
    except Exception as error:
        logger("server").exception(error)
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        sys.exit(f"mlflow: server: it could not start: {reason}; the lines above say where.")
    _Arbiter(_Gunicorn(options, gate)).run()


class _Gunicorn(BaseApplication):
    """Our app and settings, as gunicorn expects them."""

    def __init__(self, options: dict[str, Any], gate: Gate) -> None:
        self.options = options
        self.gate = gate
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            if name in self.cfg.settings:  # control_socket_disable is younger than gunicorn 25.1
                self.cfg.set(name, value)

    def load(self) -> Gate:
        return self.gate


class _Log(Logger):
    """gunicorn's logger in the chosen format, which also writes uvicorn's messages."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        uvicorn_log = logging.getLogger("uvicorn.error")
        uvicorn_log.handlers, uvicorn_log.propagate = self.error_log.handlers, False
        uvicorn_log.setLevel(max(self.error_log.level, logging.WARNING))
        format_handlers()


class _Arbiter(Arbiter):
    def spawn_worker(self) -> int:
        # A SIGTERM between the fork and the worker's own handlers would be lost, and the pod would
        # hang until it is killed. So it is blocked here and unblocked in Worker.init_signals.
        with _blocked(SIGTERM):
            pid: int = super().spawn_worker()
            return pid


@contextmanager
def _blocked(signal_number: int) -> Any:
    pthread_sigmask(SIG_BLOCK, {signal_number})
    try:
        yield
    finally:
        pthread_sigmask(SIG_UNBLOCK, {signal_number})


def settings() -> dict[str, Any]:
    """Return gunicorn's settings, from the environment variables that the chart sets."""
    from mlflow_kubernetes.server.worker import Worker

    return {
        "workers": _number("MLFLOW_WORKERS", 2),
        "threads": _number("MLFLOW_KUBERNETES_THREADS", 8),
        "worker_class": Worker,
        "preload_app": True,
        "pre_fork": sockets.assign_socket,
        "post_fork": sockets.close_other_sockets,
        "when_ready": _freeze,
        "post_worker_init": request_metrics.watch_usage,
        "child_exit": _forget_metrics,
        "graceful_timeout": _number("MLFLOW_KUBERNETES_GRACEFUL_TIMEOUT", 120),
        # Kills a worker whose event loop is blocked. A slow request does not block it.
        "timeout": 120,
        # Heartbeat files are in memory, so that a full or slow disk cannot make a worker look dead.
        "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,  # noqa: S108
        "control_socket_disable": True,
        "logger_class": _Log,
        "loglevel": (os.environ.get("MLFLOW_LOGGING_LEVEL") or "info").lower(),
    }


def _number(variable: str, default: int) -> int:
    value = os.environ.get(variable) or str(default)
    if not value.isdecimal() or not int(value):
        raise Misconfigured(f"{variable}: {value!r} is not a number; set a whole number above 0")
    return int(value)


def _freeze(_arbiter: Any) -> None:
    """Keep memory shared: workers' garbage collectors skip every object made so far, so never write to it.

    The imports leave 1 MiB of garbage, not worth a collection before: it takes 0.2 to 0.4 s.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(10_000, 20, 50)
    with suppress(AttributeError):  # glibc has it, musl does not
        ctypes.CDLL(None).malloc_trim(0)  # what the imports left behind: about 9 MiB


def _forget_metrics(_arbiter: Any, worker: Any) -> None:
    if request_metrics.metrics_folder():
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)
