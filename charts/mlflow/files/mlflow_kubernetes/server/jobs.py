"""Run MLflow's background jobs and periodic tasks, in a pod of their own.

With MLFLOW_SERVER_JOB_EXECUTION_ENGINE=executor a server only writes a job into the database. MLflow starts a
process that runs them beside each server; here it has a pod of its own. Only one may run at a time: at its
start it treats each job that is marked as running as one that an earlier runner left unfinished.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from mlflow_kubernetes.log import logger
from mlflow_kubernetes.log.child_output import capture_child_output
from mlflow_kubernetes.log.setup import log_exit

HEARTBEAT = Path(os.environ.get("MLFLOW_KUBERNETES_HEARTBEAT_FILE", "/tmp/heartbeat"))  # noqa: S108
log = logger("jobs")


class Heartbeat(threading.Event):
    """The event for which the runner's loop waits between two polls. Each wait is a heartbeat for probes."""

    def wait(self, timeout: float | None = None) -> bool:
        """Touch the heartbeat file, and wait."""
        HEARTBEAT.touch()
        return super().wait(timeout)


def main() -> None:
    """Run jobs until SIGTERM. Those that it interrupts start again with the next runner."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    capture_child_output()
    from mlflow_kubernetes.server import auth

    auth.check_keys("jobs")
    status = 1
    try:
        _prepare()
        _run()
    except SystemExit as end:
        status = log_exit(end)
    except Exception as error:
        log.exception(error)
    os._exit(status)  # the thread that watches the periodic tasks' process would keep this one alive


def _prepare() -> None:
    """Set what `mlflow server` hands to its runner."""
    from mlflow_kubernetes.server import auth, command_line, unavailable

    # Each job is a process, and would leave files with counts that are never read.
    os.environ.pop("MLFLOW_EXPOSE_PROMETHEUS", None)
    unavailable.watch_engines()
    command_line.prepare("")
    from mlflow.server import ARTIFACT_ROOT_ENV_VAR
    from mlflow.server.constants import MLFLOW_SERVER_UP_TIME

    os.environ[MLFLOW_SERVER_UP_TIME] = str(int(time.time() * 1000))
    os.environ.setdefault("MLFLOW_DEFAULT_ARTIFACT_ROOT", os.environ.get(ARTIFACT_ROOT_ENV_VAR, ""))
    auth.share_gateway_token()


def _run() -> None:
    from mlflow.server.jobs._executor_runner import _select_executor, run_executor_loop
    from mlflow.server.jobs.logging_utils import configure_logging_for_jobs
    from mlflow.server.jobs.utils import _launch_periodic_tasks_consumer

    configure_logging_for_jobs()
    _launch_periodic_tasks_consumer()
    executor = _select_executor()
    executor.start_executor()
    log.info("the runner has started.")
    try:
        run_executor_loop(executor, Heartbeat())
    finally:
        executor.stop_executor()
