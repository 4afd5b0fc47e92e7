"""One call of MLflow's API, in many variations."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

NUMBER = "@" * 16
"""The load generator puts a number of 16 digits here, another one in each request."""
API = "/api/2.0/mlflow/"


@dataclass(frozen=True)
class Request:
    """An HTTP request without its headers."""

    method: str
    path: str
    body: bytes = b""


def get(path: str, **query: Any) -> Request:
    """Return a GET request. A list repeats its key."""
    return Request("GET", f"{path}?{urlencode(query, doseq=True)}")


def post(path: str, **body: Any) -> Request:
    """Return a POST request with a JSON body."""
    text = json.dumps(body).replace(f'"1{NUMBER}"', f"1{NUMBER}")
    return Request("POST", path, text.encode())


@dataclass(frozen=True)
class Case:
    """A call, how many clients send it, and for how long.

    `clients` maps a number of clients to the peers that they ask: `every` or `both`, our chart and the one
    that the targets name. `runs` is the size of the experiment that must be loaded, `units` what one request
    writes.
    """

    name: str
    group: str
    requests: Callable[[], list[Request]]
    clients: dict[int, str] = field(default_factory=lambda: {8: "every"})
    runs: int = 10**3
    seconds: float = 3
    rounds: int = 2
    units: int = 1
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
