"""A check of each request that MLflow has parsed into a message of its API, whatever its encoding."""

from collections.abc import Callable
from typing import Any


def check_each(check: Callable[[Any], None]) -> None:
    """Call `check` with each message, before MLflow's handler has it. Call this before the fork.

    Args:
        check: raises an MlflowException to refuse a message.
    """
    from mlflow.server import handlers

    parse = handlers._get_request_message

    def parsed(request_message: Any, *args: Any, **kwargs: Any) -> Any:
        message = parse(request_message, *args, **kwargs)
        check(message)
        return message

    handlers._get_request_message = parsed
    if parse_workspace := getattr(handlers, "_get_workspace_request_message", None):

        def parsed_workspace(request_message: Any, *args: Any, **kwargs: Any) -> Any:
            message, body = parse_workspace(request_message, *args, **kwargs)
            check(message)
            return message, body

        handlers._get_workspace_request_message = parsed_workspace
