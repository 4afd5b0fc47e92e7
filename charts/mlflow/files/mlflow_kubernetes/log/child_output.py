"""In JSON: what the processes print that this one starts."""

import os
import sys
import threading

from mlflow_kubernetes.log.formatters import as_json
from mlflow_kubernetes.log.setup import configure, log_line


def capture_child_output() -> None:
    """Take the streams of all processes that are started from now on; each line becomes a record.

    The log itself goes on to where it went. Call it before threads are started.
    """
    if not as_json():
        return
    sys.__stderr__ = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace")  # type: ignore[misc]
    configure()
    reader, writer = os.pipe()
    for stream in (1, 2):
        os.dup2(writer, stream)
    os.close(writer)
    threading.Thread(target=_log_lines, args=(reader,), name="child-output", daemon=True).start()


def _log_lines(reader: int) -> None:
    with os.fdopen(reader, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.strip():
                log_line(line.rstrip("\n"))
