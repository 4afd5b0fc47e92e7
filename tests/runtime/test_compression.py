"""Answers in gzip for clients that ask for it, and what browsers may keep."""

import gzip
import http.client
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from runtime.server import Server

Answer = tuple[http.client.HTTPResponse, bytes]
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture(scope="module", params=["direct", "upstream"])
def server(
    request: pytest.FixtureRequest, start: Callable[..., Server], ready_database: Callable[[], dict[str, str]]
) -> Server:
    launcher = {"MLFLOW_KUBERNETES_LAUNCHER": request.param, "MLFLOW_STATIC_PREFIX": "/mlflow"}
    return start(**launcher, **ready_database()).ready()


def ask(server: Server, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
    """One request without what clients add or undo: encodings, redirects."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, f"{server.prefix}{path}", skip_accept_encoding=True)
        for name, value in {**named, **({"Content-Length": str(len(body))} if body else {})}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def scripts(server: Server) -> list[str]:
    _, page = ask(server, "/")
    return [f"/{path}" for path in re.findall(r'"(static-files/[^"]+\.(?:js|css))"', page.decode())]


@pytest.fixture(scope="module")
def experiments(server: Server) -> bytes:
    """The search of experiments whose names take more than 8 KiB."""
    for n in range(60):
        name = {"name": f"{n} {'long ' * 40}"}
        requests.post(
            f"{server.url}{server.prefix}/ajax-api/2.0/mlflow/experiments/create", json=name, timeout=60
        ).raise_for_status()
    return b'{"max_results": 100}'


SEARCH = "/ajax-api/2.0/mlflow/experiments/search"
JSON = {"Content-Type": "application/json"}


def search(server: Server, body: bytes, **headers: str) -> Answer:
    return ask(server, SEARCH, "POST", body, **JSON, **headers)


def test_files_of_the_page_are_compressed(server: Server, scripts: list[str]) -> None:
    """And are the same as without, each time, with their length."""
    assert len(scripts) >= 2
    sizes = []
    for path in scripts:
        plain, whole = ask(server, path)
        assert plain.getheader("Content-Encoding") is None
        assert plain.getheader("Vary", "").endswith("Accept-Encoding")
        for _ in range(2):
            answer, data = ask(server, path, **GZIP)
            assert answer.getheader("Content-Encoding") == "gzip"
            assert gzip.decompress(data) == whole
            assert int(answer.getheader("Content-Length", "")) == len(data)
            assert answer.getheader("Content-Type") == plain.getheader("Content-Type")
            assert answer.getheader("ETag") == f"W/{plain.getheader('ETag')}"
            assert answer.getheader("X-Content-Type-Options") == plain.getheader("X-Content-Type-Options")
        sizes.append((len(whole), len(data)))
    before, after = map(sum, zip(*sizes, strict=True))
    assert after < before / 3


def test_many_first_requests_get_the_same_file(
    start: Callable[..., Server], ready_database: Callable[[], dict[str, str]]
) -> None:
    fresh = start(MLFLOW_WORKERS="2", **ready_database()).ready()
    _, page = ask(fresh, "/")
    script = re.findall(r'"(static-files/[^"]+\.js)"', page.decode())[0]
    _, whole = ask(fresh, f"/{script}")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(fresh, f"/{script}", **GZIP), range(24)))
    assert {gzip.decompress(data) == whole for _, data in answers} == {True}
    assert len(list((fresh.folder / "mlflow-ui").iterdir())) == 1


def test_browsers_keep_files_with_a_hash_and_ask_for_others(server: Server, scripts: list[str]) -> None:
    for path in scripts:
        answer, _ = ask(server, path)
        assert answer.getheader("Cache-Control") == "public, max-age=31536000, immutable"
    for path in ("/", "/static-files/favicon.ico", "/static-files/asset-manifest.json"):
        for accept in ({}, GZIP):
            answer, _ = ask(server, path, **accept)
            assert (answer.status, answer.getheader("Cache-Control")) == (200, "no-cache"), path
            etag = answer.getheader("ETag", "")
            again, nothing = ask(server, path, If_None_Match=etag, **accept)
            assert (again.status, nothing, again.getheader("ETag")) == (304, b"", etag)


def test_a_missing_file_is_kept_by_no_browser(server: Server) -> None:
    answer, _ = ask(server, "/static-files/static/js/main.00000000.js", **GZIP)
    assert answer.status == 404
    assert "max-age=31536000" not in answer.getheader("Cache-Control", "")
    assert answer.getheader("Content-Encoding") is None


def test_parts_and_heads_of_files_are_not_compressed(server: Server, scripts: list[str]) -> None:
    _, whole = ask(server, scripts[0])
    part, data = ask(server, scripts[0], Range="bytes=10-19", **GZIP)
    assert (part.status, data, part.getheader("Content-Encoding")) == (206, whole[10:20], None)
    head, nothing = ask(server, scripts[0], "HEAD", **GZIP)
    assert (head.status, nothing, head.getheader("Content-Length")) == (200, b"", str(len(whole)))
    assert head.getheader("Content-Encoding") is None


def test_large_json_is_compressed(server: Server, experiments: bytes) -> None:
    plain, whole = search(server, experiments)
    assert plain.getheader("Vary", "").endswith("Accept-Encoding")
    answer, data = search(server, experiments, **GZIP)
    assert answer.getheader("Content-Encoding") == "gzip"
    assert answer.getheader("Vary", "").endswith("Accept-Encoding")
    assert answer.getheader("Content-Length") in (None, str(len(data)))
    assert gzip.decompress(data) == whole
    assert len(data) < len(whole) / 4
    assert len(json.loads(whole)["experiments"]) == 61


def test_clients_of_mlflow_read_it(server: Server, experiments: bytes) -> None:
    answer = requests.post(f"{server.url}{server.prefix}{SEARCH}", experiments, headers=JSON, timeout=60)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.json()["experiments"]) == 61


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("", False),
        ("identity", False),
        ("br, deflate", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("identity, gzip;q=0.5", False),
        ("gzipped", False),
        ("GZIP", True),
        ("*", True),
        ("br;q=1.0, gzip;q=0.2", True),
        ("identity;q=0.5, gzip", True),
        ("identity;q=0, gzip", True),
    ],
)
def test_accept_encoding(server: Server, experiments: bytes, accepted: str, compressed: bool) -> None:
    answer, _ = search(server, experiments, Accept_Encoding=accepted)
    assert (answer.getheader("Content-Encoding") == "gzip") is compressed


def test_what_is_small_or_an_artifact_stays(server: Server) -> None:
    answer, _ = ask(server, "/ajax-api/3.0/mlflow/server-info", **GZIP)
    assert (answer.status, answer.getheader("Content-Encoding")) == (200, None)
    assert "Accept-Encoding" not in answer.getheader("Vary", "")
    artifact, content = "/api/2.0/mlflow-artifacts/artifacts/0/table.json", b'{"a": [' + b"1," * 9000 + b"1]}"
    put, _ = ask(server, artifact, "PUT", content)
    assert put.status == 200
    answer, data = ask(server, artifact, **GZIP)
    assert (answer.status, data, answer.getheader("Content-Encoding")) == (200, content, None)


def test_old_clients_get_json_with_its_length(server: Server, experiments: bytes) -> None:
    """HTTP/1.0 has no chunks."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection._http_vsn, connection._http_vsn_str = 10, "HTTP/1.0"  # type: ignore[attr-defined]
    headers = {"Host": "localhost", **JSON, **GZIP}
    connection.request("POST", f"{server.prefix}{SEARCH}", experiments, headers)
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Content-Encoding")) == (200, None)
    assert len(json.loads(answer.read())["experiments"]) == 61


def test_switched_off(start: Callable[..., Server], ready_database: Callable[[], dict[str, str]]) -> None:
    """Browsers still keep files."""
    server = start(MLFLOW_KUBERNETES_COMPRESSION="false", **ready_database()).ready()
    _, page = ask(server, "/")
    script = re.findall(r'"(static-files/[^"]+\.js)"', page.decode())[0]
    answer, _ = ask(server, f"/{script}", **GZIP)
    assert (answer.getheader("Content-Encoding"), answer.getheader("Vary")) == (None, None)
    assert answer.getheader("Cache-Control") == "public, max-age=31536000, immutable"
    assert not (server.folder / "mlflow-ui").exists()
