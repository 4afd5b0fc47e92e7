"""Which names the server answers to, and which pages may change something."""

from collections.abc import Iterator

import pytest

from runtime.attacks.conftest import KINDS, Edge
from runtime.attacks.observe import none_fails
from runtime.attacks.wire import ARTIFACTS, JSON, SEARCH, TRACES, ask, http
from runtime.basic_auth import ADMIN
from runtime.server import Server

NAME, ANY = "mlflow.example.com", "tracking.example.com"
SETTINGS = {
    # Names as a chart's user writes them: one exact, one with every port, one with a single port, a pattern.
    "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join(
        [NAME, ANY, f"{ANY}:*", "Only.example.com:8443", "*.ml.svc", "*.ml.svc:*", "localhost"]
    ),
    "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": "https://ui.example.com,https://*.apps.example.com",
}
PATHS = [
    f"{SEARCH}?max_results=1",
    "/api/3.0/mlflow/server-info",
    f"{ARTIFACTS}/0/x",
    "/graphql",
    "/",
    "/nothing/there",
    "/signup",
]
ADDRESSES = [
    "1.2.3.4",
    "127.0.0.1:5000",
    "10.0.0.1:80",
    "[::1]",
    "[2001:db8::1]:5000",
    "[2001:DB8::A]",
    "8.8.8.8",
]
ACCEPTED = [
    NAME, NAME.upper(), f"{NAME}.", "mLflow.Example.cOm.", ANY, f"{ANY}:1", f"{ANY}:65535", f"{ANY}.:8080",
    f"{ANY.upper()}:443", "only.example.com:8443", "ONLY.EXAMPLE.COM.:8443", "a.ml.svc", "A.ML.svc:5000",
    "localhost",
]  # fmt: skip
REFUSED = [
    "evil.example.com", f"{NAME}:8443", "only.example.com", "only.example.com:8444", "example.com",
    f"x{NAME}", f"{NAME}x", f".{NAME}", f"{NAME}..", f"{NAME}.evil.com", f"{NAME}-evil.com", f"a.{NAME}",
    "ml.svc", "a.ml.svc.evil", f"{ANY}:x", f"{ANY}:x/../health", f"{ANY}:80:80", f"{ANY}:-1", f"{ANY}:+80",
    f"{ANY}:8 0", f"{ANY}: 80", f"{ANY}:80x", f"{ANY}:0x50", f"{ANY}:80.evil.com", f"{ANY}:80@evil.com",
    f"{ANY}:\u00b2", f"{ANY}:80/", f"{ANY}:80?", f"{ANY}:80#", f"{ANY}:@evil.com", f"{ANY}:80,evil.com",
    f"{ANY}:*", f"{ANY}:[80]", f"{ANY}:999999", f"{ANY}@evil.com", f"evil.com@{ANY}", f"evil.com#{ANY}",
    f"evil.com/{ANY}", f"evil.com?{ANY}", f"evil.com\\{ANY}", f"evil.com,{ANY}", f"{ANY},evil.com",
    f"evil.com {ANY}", f"evil.com;{ANY}", f"http://{ANY}", f"//{ANY}", f"{ANY}/", f"{ANY}/health",
    f"{ANY}%00", "%74racking.example.com", f"{ANY}\x7f", f'"{ANY}"', f"[{ANY}]", f"{ANY}]", "*", "?",
    "evil/x.ml.svc", "evil#.ml.svc", "evil@a.ml.svc", "evil.com:80.ml.svc", "evil:80/.ml.svc:80",
    "evil com.ml.svc", "127.0.0.1.evil.com", "10.evil.com", "192.168.evil.com", "172.16.evil.com",
    "1.2.3.4.5", "1.2.3", "256.1.1.1", "[::1", "::1]", "[::1]x", "[::1]:x", "[::1].evil.com",
    "[::1]evil:80", "[evil.com]", "[v1.a]", "fd00:evil.com", "[]", "[::1]@evil.com", "[1.2.3.4].evil.com",
    "localhost:x", "localhost.evil.com", "evil.localhost.com", "",
]  # fmt: skip


@pytest.fixture(scope="module")
def named(edge: Edge, launcher: str) -> Iterator[Server]:
    server = edge(MLFLOW_KUBERNETES_LAUNCHER=launcher, **KINDS["login"], **SETTINGS)
    yield server
    server.kill()


@pytest.fixture(scope="module")
def below(edge: Edge, launcher: str) -> Iterator[Server]:
    server = edge(MLFLOW_KUBERNETES_LAUNCHER=launcher, **KINDS["prefixed"], **SETTINGS)
    yield server
    server.kill()


def status(server: Server, method: str, path: str, **more: object) -> int:
    body = b"{}" if method in ("POST", "PUT", "PATCH", "DELETE") else None
    headers: dict[str, str] = JSON | more.pop("headers", {})  # type: ignore[operator]
    answer = ask(server, http(method, path, body, headers, ADMIN, **more), method)  # type: ignore[arg-type]
    return answer.status if answer else 0


def test_its_own_names_are_accepted(named: Server) -> None:
    def case(host: str) -> str:
        found = {path: status(named, "GET", path, host=host) for path in PATHS}
        return "" if {400, 403, 0}.isdisjoint(found.values()) else f"{found}"

    none_fails(case, ACCEPTED + ADDRESSES)


def test_other_names_are_refused(named: Server) -> None:
    """With an account, too: DNS rebinding uses the browser's."""

    def case(host: str) -> str:
        found = {path: status(named, "GET", path, host=host) for path in PATHS}
        return "" if set(found.values()) <= {400, 403} else f"{found}"

    none_fails(case, REFUSED)


def test_probes_come_under_any_name(named: Server) -> None:
    """A kubelet asks by the pod's address, a load balancer by whatever it likes."""
    for host in ("1.2.3.4:5000", "evil.example.com", "a"):
        assert status(named, "GET", "/health", host=host) == 200


CHANGING = [
    ("POST", "/api/2.0/mlflow/runs/create"),
    ("POST", "/ajax-api/2.0/mlflow/runs/create"),
    ("POST", "/graphql"),
    ("POST", TRACES),
    ("POST", "/gateway/mlflow/v1/chat/completions"),
    ("POST", "/gateway/x/mlflow/invocations"),
    ("POST", "/signup"),
    ("POST", "/api/2.0/mlflow/users/create"),
    ("POST", "/api/2.0/mlflow/users/create-ui"),
    ("PATCH", "/api/2.0/mlflow/users/update-password"),
    ("PATCH", "/ajax-api/2.0/mlflow/users/update-admin"),
    ("DELETE", "/api/2.0/mlflow/users/delete"),
    ("PUT", f"{ARTIFACTS}/0/x"),
    ("DELETE", f"{ARTIFACTS}/0/x"),
    ("POST", "/api/3.0/mlflow/mcp-servers"),
    ("POST", "/ajax-api/3.0/jobs/"),
    ("POST", "/api/2.0/mlflow/webhooks"),
    ("POST", "/nothing/there"),
]
FOREIGN = [
    "https://evil.example.com", "http://evil.example.com", "null", "NULL", "https://localhost.evil.com",
    "file://", "http://localhost:80@evil.com", "http://localhost@evil.com", "http://evil.com#localhost",
    "http://127.0.0.1.evil.com", "https://ui.example.com.evil.com", "https://ui.example.com:444",
    "http://ui.example.com", "https://evilui.example.com", "https://ui.example.com@evil.com",
    "https://apps.example.com.evil.com", "https://evil.com/.apps.example.com",
    "https://evil.com#.apps.example.com", "https://evil.com@.apps.example.com",
    "http://evil.com, http://localhost", f"https://{ANY}:1", f"https://{ANY}.evil.com", f"ftp://{ANY}:8080",
    "chrome-extension://abc", "evil", "*", "://", "https://evil.com\\.apps.example.com",
    "https://ui.example.com https://evil.com", "http://[::1].evil.com",
]  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "/mlflow"])
def test_foreign_pages_change_nothing(named: Server, below: Server, prefix: str) -> None:
    server = below if prefix else named

    def case(origin: str) -> str:
        more = {"host": f"{ANY}:8080", "headers": {"Origin": origin}}
        found = {f"{m} {p}": status(server, m, prefix + p, **more) for m, p in CHANGING}
        wrong = {each: code for each, code in found.items() if code != 403}
        return f"{wrong}" if wrong else ""

    none_fails(case, FOREIGN)


@pytest.mark.parametrize("prefix", ["", "/mlflow"])
def test_two_origins_are_none(named: Server, below: Server, prefix: str) -> None:
    """Whichever of them a rule reads."""
    server = below if prefix else named
    question = http("POST", f"{prefix}{SEARCH}", b"{}", JSON | {"Origin": "http://localhost"}, ADMIN)
    for more in (b"Origin: https://evil.example.com\r\nOrigin", b"Origin"):
        twice = question.replace(b"Origin", more, 1).replace(
            b"http://localhost", b"http://localhost\r\norigin: https://evil.example.com"
        )
        answer = ask(server, twice)
        assert answer and answer.status in (400, 403)


OWN = {
    f"http://{ANY}:8080": f"{ANY}:8080",
    f"https://{ANY}": ANY,
    "http://1.2.3.4:5000": "1.2.3.4:5000",
    "http://[2001:db8::1]:5000": "[2001:db8::1]:5000",
    f"HTTPS://{ANY.upper()}": ANY,
    "https://ui.example.com": ANY,
    "https://a.apps.example.com": ANY,
    "http://localhost": ANY,
    "http://localhost:3000": ANY,
    "http://127.0.0.1:3000": ANY,
}


@pytest.mark.parametrize("prefix", ["", "/mlflow"])
def test_own_pages_may_change_things(named: Server, below: Server, prefix: str) -> None:
    server = below if prefix else named

    def case(origin: str) -> str:
        more = {"host": OWN[origin], "headers": {"Origin": origin}}
        body = status(server, "POST", f"{prefix}{SEARCH}", **more)
        upload = status(server, "PUT", f"{ARTIFACTS}/0/own", **more)
        return "" if (body, upload) == (400, 200) or (body, upload) == (200, 200) else f"{body} {upload}"

    none_fails(case, OWN)


def test_reading_needs_no_origin(named: Server) -> None:
    """Browsers keep the answer from a foreign page: no header allows it to read."""
    for origin in FOREIGN[:6]:
        question = http("GET", SEARCH + "?max_results=1", headers={"Origin": origin}, account=ADMIN)
        answer = ask(named, question)
        assert answer and "access-control-allow-origin" not in answer.headers
