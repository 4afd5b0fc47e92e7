"""Two servers, the same requests: what their answers may differ in, and what they may not."""

import re
from dataclasses import dataclass, field

import requests

from runtime.server import Server

# Decided by the web server for each connection, or by the clock.
NOT_COMPARED = {"date", "server", "connection", "transfer-encoding"}
# Lists whose order says nothing.
SETS = {"allow", "vary", "access-control-allow-methods"}


@dataclass(frozen=True)
class Difference:
    """A header that `upstream` and `direct` answer differently, and why we leave it so."""

    header: str
    upstream: str | None
    direct: str | None
    reason: str


CORS = "upstream's CORS layer around Flask adds it without an Origin too"
DIFFERENCES = [
    Difference("vary", "Origin", None, CORS),
    Difference("vary", "Accept-Encoding, Origin", "Accept-Encoding", CORS),
]


def normal(text: str) -> str:
    """Replace what differs between two databases and two moments: ids, times, durations."""
    text = re.sub(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", text)
    text = re.sub(r"\b1[789]\d{8}(\d{3})?\b", "<clock>", text)  # seconds or milliseconds
    return re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?", "<time>", text)


@dataclass
class Pair:
    """An `upstream` and a `direct` server with equal settings, each with its own stores."""

    upstream: Server
    direct: Server
    seen: set[Difference] = field(default_factory=set)
    session: requests.Session = field(default_factory=requests.Session)

    def differences(self, method: str, path: str, **request: object) -> list[str]:
        """Send one request to both and say what differs and is not in the table."""
        theirs, ours = (self._ask(server, method, path, request) for server in (self.upstream, self.direct))
        found = [f"{theirs.status_code} {ours.status_code}"] if theirs.status_code != ours.status_code else []
        if normal(theirs.text) != normal(ours.text):
            found.append(f"{theirs.text[:300]!r} {ours.text[:300]!r}")
        found += self._header_differences(_headers(theirs), _headers(ours))
        return [f"{method} {path}: {each}" for each in found]

    def _ask(self, server: Server, method: str, path: str, request: dict[str, object]) -> requests.Response:
        settings: dict[str, object] = {"allow_redirects": False, "timeout": 120, **request}
        return self.session.request(method, server.url + path, **settings)  # type: ignore[arg-type]

    def _header_differences(self, theirs: dict[str, str], ours: dict[str, str]) -> list[str]:
        found = []
        for name in sorted(theirs.keys() | ours.keys()):
            upstream, direct = theirs.get(name), ours.get(name)
            known = [d for d in DIFFERENCES if (d.header, d.upstream, d.direct) == (name, upstream, direct)]
            self.seen.update(known)
            if upstream != direct and not known:
                found.append(f"{name}: {upstream!r} {direct!r}")
        return found


def _headers(answer: requests.Response) -> dict[str, str]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    for name in SETS & headers.keys():
        headers[name] = ", ".join(sorted(set(headers[name].split(", "))))
    if "x-mlflow-gateway-duration-ms" in headers:
        headers["x-mlflow-gateway-duration-ms"] = "<ms>"
    return {name: normal(value) for name, value in headers.items() if name not in NOT_COMPARED}
