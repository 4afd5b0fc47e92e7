"""The two forms of a record."""

import json
import logging
import os
from datetime import datetime, timezone

from mlflow_kubernetes.log import NAME
from mlflow_kubernetes.log.context import request_id


def as_json() -> bool:
    """Whether the log is for machines."""
    return os.environ.get("MLFLOW_KUBERNETES_LOG_FORMAT") == "json"


def formatter() -> logging.Formatter:
    """Return the formatter of the chart's own records."""
    return JsonFormatter() if as_json() else TextFormatter()


class TextFormatter(logging.Formatter):
    """A sentence after the name of its part. A trace stands alone: it ends with the message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        if record.exc_info:
            return self.formatException(record.exc_info)
        part = record.name.removeprefix(NAME).lstrip(".")
        return _one_line(f"mlflow: {part}{': ' if part else ''}{record.getMessage()}")


def _one_line(text: str) -> str:
    """What a database or a bucket holds must not look like another line."""
    return "".join(each if each.isprintable() else " " for each in text)


class JsonFormatter(logging.Formatter):
    """Every record of every library in the same form, traces of exceptions in a field; no empty fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        when = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        fields = {
            "time": when.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
            "exception": self.formatException(record.exc_info) if record.exc_info else "",
            **getattr(record, "fields", {}),
        }
        return json.dumps({name: value for name, value in fields.items() if value != ""}, ensure_ascii=False)
