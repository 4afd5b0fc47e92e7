"""Clients that send or read slowly, or not at all, take nothing from other clients."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg2
import pytest

from runtime.attacks.conftest import BODY, HEAD, Edge
from runtime.attacks.observe import MIB, family, served, slack
from runtime.attacks.silent import SilentStore
from runtime.attacks.wire import ARTIFACTS, JSON, SEARCH, TRACES, Wire, ask, chunk, http, many
from runtime.network import wait_until
from runtime.server import Server

COUNT = 100
LOG_BATCH = "/api/2.0/mlflow/runs/log-batch"
OTLP = {"Content-Type": "application/x-protobuf", "X-MLflow-Experiment-Id": "0"}
TARGETS = {
    "artifact": ("PUT", f"{ARTIFACTS}/0/slow", {}),
    "log-batch": ("POST", LOG_BATCH, JSON),
    "GraphQL": ("POST", "/graphql", JSON),
    "traces": ("POST", TRACES, OTLP),
    "nothing": ("POST", "/nothing/there", {}),
}
LENGTH, CHUNKED = "Content-Length", "Transfer-Encoding"


def wait_for_answers_to_begin() -> None:
    """Give the server the time to hand what it has to its threads."""
    time.sleep(0.5)


def ended(wires: list[Wire], seconds: float) -> int:
    """How many of the connections the server ends in time."""
    deadline = time.monotonic() + seconds * slack()
    return sum(wire.ended(max(0.01, deadline - time.monotonic())) for wire in wires)


HALF_HEADS = {
    "nothing": (b"", b""),
    "a letter": (b"G", b""),
    "half a request line": (b"GET /", b"a"),
    "half a head": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-a: b\r\n", b"X-b: c\r\n"),
    "half a line end": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r", b""),
    "empty lines": (b"\r\n", b"\r\n"),
}


@pytest.mark.parametrize("sent", [name for name in HALF_HEADS if name != "nothing"])
def test_half_sent_heads(plain: Server, sent: str) -> None:
    """A head that is not complete in time is refused, however busily its bytes drip."""
    first, drip = HALF_HEADS[sent]
    with many(plain, COUNT, first) as wires:
        wait_for_answers_to_begin()
        assert served(plain) == []
        deadline = time.monotonic() + HEAD + 1
        while drip and time.monotonic() < deadline:
            for wire in wires:
                wire.send(drip)
            time.sleep(0.25)
        assert ended(wires, HEAD + 5) == COUNT
    assert served(plain, rounds=1) == []


@pytest.mark.parametrize("framing", [LENGTH, CHUNKED])
@pytest.mark.parametrize("size", [2, 200_000])
def test_half_sent_bodies(plain: Server, framing: str, size: int) -> None:
    """Bodies of any size for any route: none waits for another one to end."""
    header = {LENGTH: str(1_000_000)} if framing == LENGTH else {CHUNKED: "chunked"}
    data = b"x" * size
    body = data if framing == LENGTH else chunk(data)
    with ExitStack() as stack:
        wires: list[Wire] = []
        for method, path, headers in TARGETS.values():
            first = http(method, path, headers=headers | header) + body
            wires += stack.enter_context(many(plain, COUNT // 2, first))
        wait_for_answers_to_begin()
        assert served(plain) == []
        assert ended(wires, BODY + 8) == len(wires), "a body without progress holds its connection"
    assert served(plain, rounds=1) == []


@pytest.mark.parametrize("framing", [LENGTH, CHUNKED])
def test_dripping_bodies(plain: Server, framing: str) -> None:
    """They make progress, so they may go on. They still block no other client."""
    header = {LENGTH: str(1_000_000)} if framing == LENGTH else {CHUNKED: "chunked"}
    drip = b"x" if framing == LENGTH else chunk(b"x")
    heads = [http(method, path, headers=more | header) for method, path, more in TARGETS.values()]
    wires = [Wire(plain.port) for _ in range(COUNT)]
    try:
        for wire, head in zip(wires, heads * COUNT, strict=False):
            wire.send(head)
        for _ in range(3):
            for wire in wires:
                wire.send(drip)
            time.sleep(0.3)
            assert served(plain, rounds=1) == []
    finally:
        for wire in wires:
            wire.sock.close()


def test_a_slow_upload_arrives(plain: Server) -> None:
    """Longer than any limit in all, and never silent for as long."""
    pieces = [b"%05d" % number * 200 for number in range(BODY * 4)]
    with Wire(plain.port) as wire:
        wire.send(http("PUT", f"{ARTIFACTS}/0/patient", headers={LENGTH: str(sum(map(len, pieces)))}))
        for piece in pieces:
            assert wire.send(piece)
            time.sleep(0.4)
        answer = wire.final()
        assert answer and answer.status == 200
    assert (plain.folder / "artifacts" / "0" / "patient").read_bytes() == b"".join(pieces)


@pytest.fixture
def large(plain: Server) -> dict[str, str]:
    """Paths of large answers: a static file, an artifact by FastAPI and by Flask."""
    page = ask(plain, http("GET", "/"))
    assert page
    files = [word for word in page.body.decode().split('"') if word.startswith("static-files")]
    answers = [ask(plain, http("GET", f"/{file}")) for file in files]
    script = max(zip(files, answers, strict=True), key=lambda pair: len(pair[1].body) if pair[1] else 0)[0]
    body = json.dumps({"experiment_id": "0"}).encode()
    made = ask(plain, http("POST", "/api/2.0/mlflow/runs/create", body, JSON))
    assert made and made.status == 200
    run = made.json()["run"]["info"]
    path = f"{run['artifact_uri'].removeprefix('mlflow-artifacts:/')}/large"
    stored = ask(plain, http("PUT", f"{ARTIFACTS}/{path}", b"0123456789abcdef" * (MIB // 2)))
    assert stored and stored.status == 200
    return {
        "static": f"/{script}",
        "FastAPI": f"{ARTIFACTS}/{path}",
        "Flask": f"/get-artifact?run_uuid={run['run_id']}&path=large",
    }


@pytest.mark.parametrize("route", ["static", "FastAPI", "Flask"])
def test_readers_that_do_not_read(plain: Server, large: dict[str, str], route: str) -> None:
    question = http("GET", large[route])
    whole = ask(plain, question)
    assert whole and whole.status == 200 and len(whole.body) > 3 * MIB, "the answer has to fill all buffers"
    with many(plain, COUNT, question, receive_buffer=4096):
        wait_for_answers_to_begin()
        assert served(plain) == []
        again = ask(plain, question, timeout=60)
        assert again and again.body == whole.body
    assert served(plain, rounds=1) == []


@pytest.fixture(scope="module")
def small(edge: Edge, launcher: str) -> Iterator[Server]:
    """Two workers that may have 1,024 open files each, and that time alone ends no connection of."""
    server = edge(
        files=1024,
        MLFLOW_KUBERNETES_LAUNCHER=launcher,
        MLFLOW_WORKERS="2",
        MLFLOW_KUBERNETES_HEAD_SECONDS="300",
        MLFLOW_KUBERNETES_BODY_SECONDS="300",
    )
    yield server
    server.kill()


@pytest.mark.parametrize(
    "first", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n"], ids=["silent", "half a head"]
)
def test_more_connections_than_open_files(small: Server, first: bytes) -> None:
    """The connection that has been silent longest makes room."""
    workers = family(small)
    with many(small, 2400, first) as wires:
        time.sleep(1)
        assert served(small, rounds=5) == []
        assert set(family(small)) >= set(workers), "a worker ended"
        kept = [not wire.ended(0.002) for wire in wires]
        assert kept.count(False) >= 2400 - 2 * 1024
        # Fewer than one of the two workers may have, for it may have taken all of the last ones.
        assert all(kept[-300:]), "young connections went before old ones"
    assert served(small, rounds=1) == []


def test_more_kept_connections_than_open_files(small: Server) -> None:
    """1,000 and more clients that have had an answer and say no more."""
    workers = family(small)
    question = http("GET", "/health")
    with many(small, 2400, question) as wires:
        time.sleep(1)
        assert served(small, rounds=5) == []
        assert set(family(small)) >= set(workers), "a worker ended"
        for wire in wires[-400:]:
            wire.sock.settimeout(5 * slack())
            answer = wire.final()
            assert answer and answer.status == 200, "an answered request lost its answer"
    assert served(small, rounds=1) == []


@pytest.fixture(scope="module")
def stuck(
    start: Callable[..., Server], ready_database: Callable[[], dict[str, str]], launcher: str
) -> Iterator[tuple[Server, dict[str, str], SilentStore]]:
    """A server whose artifact store takes connections and never answers, on PostgreSQL."""
    store, where = SilentStore(), ready_database()
    server = start(
        **where,
        **store.environment(),
        MLFLOW_KUBERNETES_LAUNCHER=launcher,
        MLFLOW_KUBERNETES_STUCK_SECONDS="3",
        MLFLOW_KUBERNETES_THREADS="4",
        MLFLOW_SQLALCHEMYSTORE_POOL_SIZE="50",
    ).ready()
    yield server, where, store
    server.kill()
    store.close()


def health(server: Server) -> int:
    answer = ask(server, http("GET", "/health", headers={"Connection": "close"}), timeout=10 * slack())
    assert answer
    return answer.status


def test_a_locked_database_is_no_reason_to_die(stuck: tuple[Server, dict[str, str], SilentStore]) -> None:
    server, where, _ = stuck
    place = {"host": where["PGHOST"], "port": where["PGPORT"], "dbname": where["PGDATABASE"]}
    database = psycopg2.connect(**place, user=where["PGUSER"], password=where["PGPASSWORD"])
    database.cursor().execute("LOCK TABLE experiments IN ACCESS EXCLUSIVE MODE")
    question = http("POST", SEARCH, b'{"max_results": 1}', JSON)
    with many(server, 60, question) as wires:
        deadline = time.monotonic() + 3 + 4
        while time.monotonic() < deadline:
            assert health(server) == 200
            time.sleep(0.5)
        database.close()
        for wire in wires:
            wire.sock.settimeout(60)
            answer = wire.final()
            assert answer and answer.status == 200


LISTING = "query List($data: MlflowListArtifactsInput!) {mlflowListArtifacts(input: $data) {files {path}}}"


# Under `upstream` MLflow's own health check answers, which asks for no thread.
@pytest.mark.parametrize("launcher", ["direct"], indirect=True)
def test_a_worker_that_is_stuck_elsewhere_says_so(stuck: tuple[Server, dict[str, str], SilentStore]) -> None:
    """Only when all of its threads are, and for as long as MLFLOW_KUBERNETES_STUCK_SECONDS."""
    server, _, store = stuck
    run = ask(server, http("POST", "/api/2.0/mlflow/runs/create", b'{"experiment_id": "0"}', JSON))
    assert run and run.status == 200
    # A listing by GraphQL: other calls about artifacts leave half of the threads to others.
    variables = {"data": {"runId": run.json()["run"]["info"]["run_id"]}}
    listing = http("POST", "/graphql", json.dumps({"query": LISTING, "variables": variables}).encode(), JSON)
    with many(server, 2, listing):
        wait_until("two requests in the store", lambda: store.connections() >= 2, 30)
        time.sleep(4)
        assert health(server) == 200, "other threads are free"
        with many(server, 60, listing):
            wait_until("a health check that fails", lambda: health(server) == 503, 20 * slack())
        assert ask(server, http("GET", "/health")), "it still answers"


def test_the_limit_of_open_files_is_raised(edge: Edge, launcher: str) -> None:
    """Container runtimes start with a low soft limit and a high hard one."""
    import resource

    server = edge(files=4096, soft=256, MLFLOW_KUBERNETES_LAUNCHER=launcher)
    limits = [resource.prlimit(pid, resource.RLIMIT_NOFILE)[0] for pid in _serving(server)]
    server.kill()
    assert limits and set(limits) == {4096}


def _serving(server: Server) -> list[int]:
    """The processes that hold a socket of the server's port and have no children: its workers."""
    pids = family(server)
    return [pid for pid in pids if not Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
