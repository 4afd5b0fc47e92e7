"""How everything of the chart's own Python writes to the log: a sentence, or one line of JSON."""

import contextlib
import contextvars
import io
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

# Of the request that is being answered; the launcher sets it.
request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
# The address of its real peer, which MLflow's apps do not see; set with it.
client: contextvars.ContextVar[str] = contextvars.ContextVar("client", default="")


def say(part: str, words: str) -> None:
    """One sentence about one part, such as `schema`."""
    if as_json():
        line = to_json(time.time(), "INFO", f"mlflow-kubernetes.{part}", words)
    else:
        line = one_line(f"mlflow: {part}: {words}")
    print(line, file=sys.__stderr__, flush=True)


def one_line(text: str) -> str:
    """The text as one line of a log: what a database or a bucket holds must not look like another line."""
    return "".join(each if each.isprintable() else " " for each in text)


def as_json() -> bool:
    """Whether the log is for machines."""
    return os.environ.get("MLFLOW_KUBERNETES_LOG_FORMAT") == "json"


def to_json(at: float, level: str, logger: str, message: str, **more: Any) -> str:
    """One line; what is empty is left out."""
    when = datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    fields = {"time": when, "level": level, "logger": logger, "message": message}
    fields |= {"request_id": request_id.get(), **more}
    return json.dumps({name: value for name, value in fields.items() if value != ""}, ensure_ascii=False)


class JsonFormatter(logging.Formatter):
    """Every record of every library in the same form, traces of exceptions in a field."""

    def format(self, record: logging.LogRecord) -> str:
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        fields = getattr(record, "fields", {})
        message = record.getMessage()
        return to_json(record.created, record.levelname, record.name, message, exception=trace, **fields)


class _Printed(io.TextIOBase):
    """Takes what is printed, line by line, and lets through what is JSON already."""

    rest = ""

    def write(self, text: str) -> int:
        *lines, self.rest = (self.rest + text).split("\n")
        for line in filter(str.strip, lines):
            if line.startswith("{"):
                print(line, file=sys.__stderr__, flush=True)
            else:
                say("print", line)
        return len(text)


@contextlib.contextmanager
def printed() -> Iterator[None]:
    """In JSON: what is printed meanwhile is a line of the log too."""
    with contextlib.ExitStack() as stack:
        if as_json():
            stack.enter_context(contextlib.redirect_stdout(_Printed()))
            stack.enter_context(contextlib.redirect_stderr(_Printed()))
        yield


def shape_logs() -> None:
    """In JSON: give that form to every handler that there is, and a handler to Python's warnings."""
    if not as_json():
        return
    logging.captureWarnings(True)
    if not logging.root.handlers:
        logging.root.addHandler(logging.StreamHandler())
    loggers = [logging.root, *map(logging.getLogger, list(logging.root.manager.loggerDict))]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        handler.setFormatter(JsonFormatter())
