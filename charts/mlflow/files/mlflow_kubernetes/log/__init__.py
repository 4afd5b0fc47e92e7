"""The log of every program: text, or one line of JSON for each record, on stderr."""

import logging

NAME = "mlflow-kubernetes"


def logger(part: str) -> logging.Logger:
    """Return the logger of a part, such as `schema`; in text its records read `mlflow: schema: ...`."""
    return logging.getLogger(f"{NAME}.{part}")
