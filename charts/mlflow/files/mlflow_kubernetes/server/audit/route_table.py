"""The routes of MLflow's two apps: which of them a call takes, and whether that one writes."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
# Routes that only read, although their method is POST.
READING = re.compile(
    r"/(search|search-[a-z-]+|graphql|ui-telemetry|get-latest-versions|batchGetInfos|traces/metrics"
    r"|calculate-filter-correlation|presigned-download-url)$"
)
# Routes whose body is a file of a user, whatever its type says.
FILES = re.compile(r"/(mlflow-artifacts/artifacts/.*|upload-artifact)$")
# Longer paths are not cached, so the size of the cache has a bound.
CACHED_PATH = 256


class Match(NamedTuple):
    """The route of a call."""

    rule: str = ""  # as its app writes it, with parameters; empty if no route matches
    parameters: Mapping[str, Any] = {}
    native: bool = False  # FastAPI answers it

    def writes(self, method: str) -> bool:
        """Return whether a call with this method may change anything."""
        return bool(self.rule) and method in CHANGING and not READING.search(self.rule)


class Routes:
    """All routes.

    Args:
        flask: MLflow's Flask app.
        fastapi: The FastAPI app around it.
    """

    def __init__(self, flask: Any, fastapi: Any) -> None:
        self.native = list(_native(fastapi.routes))
        self.flask = flask.url_map.bind("localhost")
        self._cached = lru_cache(maxsize=4096)(self._match)

    def match(self, method: str, path: str) -> Match:
        """Return the route that answers a call, as the apps choose it."""
        return (self._cached if len(path) <= CACHED_PATH else self._match)(method, path)

    def _match(self, method: str, path: str) -> Match:
        from werkzeug.exceptions import HTTPException

        for methods, pattern, rule in self.native:
            found = pattern.match(path)
            if found and method in methods:
                return Match(rule, found.groupdict(), native=True)
        try:
            rule, parameters = self.flask.match(path, method, return_rule=True)
        except HTTPException:
            return Match()
        return Match(rule.rule, parameters)


def _native(routes: list[Any]) -> Iterator[tuple[set[str], re.Pattern[str], str]]:
    """Yield methods, pattern and rule of each route of FastAPI, also of the routers that it includes."""
    from starlette.routing import compile_path

    for route in routes:
        nested = getattr(route, "effective_route_contexts", None)
        for each in nested() if nested else [route]:
            if getattr(each, "methods", None):  # a Mount has none: it is Flask
                yield set(each.methods), compile_path(each.path)[0], each.path
