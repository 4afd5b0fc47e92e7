"""Set up the log of a process, so that with format `json` every line is JSON, whichever library writes it."""

import io
import logging
import re
import sys
import threading
from types import TracebackType

from mlflow_kubernetes.log import NAME, logger
from mlflow_kubernetes.log.formatters import JsonFormatter, as_json, formatter


def configure() -> None:
    """Call it first in each process. In JSON it takes prints too, and exceptions that nothing catches."""
    own = logging.getLogger(NAME)
    handler = logging.StreamHandler(sys.__stderr__)
    handler.setFormatter(formatter())
    own.handlers, own.propagate = [handler], False
    own.setLevel(logging.INFO)
    if as_json():
        sys.stdout, sys.stderr = LogStream(), LogStream()
        sys.excepthook = _log_exception
        threading.excepthook = lambda given: _log_exception(*given[:3])
        logging.captureWarnings(True)


def format_handlers() -> None:
    """In JSON: give that form to each handler that libraries have made by now."""
    if not as_json():
        return
    if not logging.root.handlers:
        logging.root.addHandler(logging.StreamHandler())
    loggers = [logging.root, *map(logging.getLogger, list(logging.root.manager.loggerDict))]
    for handler in {handler for each in loggers for handler in each.handlers}:
        handler.setFormatter(JsonFormatter())


def log_exit(end: SystemExit) -> int:
    """Log the sentence that a program ends with, `mlflow: <part>: ...`; its exit code."""
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    found = re.fullmatch(r"mlflow: (?:([a-z]+): )?(.*)", str(end.code), re.DOTALL)
    part, text = found.groups() if found else (None, str(end.code))
    (logger(part) if part else logging.getLogger(NAME)).error(text)
    return 1


def _log_exception(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    if error is not None:
        logging.getLogger(NAME).error(error, exc_info=(kind, error, trace))


class LogStream(io.TextIOBase):
    """A stream that makes a record of each line, and lets through what is JSON already."""

    encoding, errors = "utf-8", "replace"

    def __init__(self) -> None:
        self.partial = threading.local()  # the start of a line that has no end yet

    def writable(self) -> bool:
        """Return True: programs print to it."""
        return True

    def write(self, text: str) -> int:
        """Log each complete line."""
        *lines, self.partial.text = (getattr(self.partial, "text", "") + text).split("\n")
        for line in filter(str.strip, lines):
            log_line(line)
        return len(text)


def log_line(line: str) -> None:
    """Log a line that a library or another process printed."""
    if line.startswith("{"):
        print(line, file=sys.__stderr__, flush=True)
    else:
        logger("print").info(line)
