"""No byte of one request is answered, stored or logged as part of another.

A proxy sends the requests of many users on one connection. A server that loses its place in it takes the
request of one user for the body of another's, password included.
"""

import itertools

import pytest

from runtime.attacks.conftest import BOB, BODY
from runtime.attacks.observe import none_fails
from runtime.attacks.wire import ARTIFACTS, JSON, SEARCH, TRACES, Answer, Wire, canary, chunk, http
from runtime.basic_auth import ADMIN
from runtime.server import Server

# Requests that are answered before their body is read, those that are not, and by which rule.
TARGETS = {
    "no account": ("POST", SEARCH, {}, None),
    "no account, upload": ("PUT", f"{ARTIFACTS}/0/smuggled", {}, None),
    "no account, traces": ("POST", TRACES, {}, None),
    "nothing there": ("POST", "/nothing/there", {}, ADMIN),
    "not allowed": ("PUT", f"{ARTIFACTS}/0/smuggled", {}, BOB),
    "foreign origin": ("POST", SEARCH, {"Origin": "https://evil.example.com"}, ADMIN),
    "foreign host": ("POST", SEARCH, {"Host": "evil.example.com"}, ADMIN),
    "wrong method": ("DELETE", "/version", {}, ADMIN),
    "read as JSON": ("POST", SEARCH, JSON, ADMIN),
    "stored": ("PUT", f"{ARTIFACTS}/0/smuggled", {}, ADMIN),
    "GraphQL": ("POST", "/graphql", {}, ADMIN),
    "a GET": ("GET", SEARCH, {}, ADMIN),
}
BROKEN_CHUNKS = {
    "no number": b"5\r\nhello\r\nZZZ\r\n",
    "a sign": b"5\r\nhello\r\n+5\r\nhello\r\n0\r\n\r\n",
    "negative": b"5\r\nhello\r\n-5\r\nhello\r\n0\r\n\r\n",
    "0x": b"5\r\nhello\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "underscore": b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n",
    "empty": b"5\r\nhello\r\n\r\n\r\n",
    "65 bits": b"5\r\nhello\r\n10000000000000005\r\nhello\r\n0\r\n\r\n",
    "NUL": b"5\r\nhello\r\n\x005\r\nhello\r\n0\r\n\r\n",
    "too long": b"5\r\nhello, and more\r\n0\r\n\r\n",
    "no line end": b"5\r\nhello0\r\n\r\n",
    "line feed in a size": b"5\nhello\r\n0\r\n\r\n",
    "carriage return in a size": b"5\rhello\r\n0\r\n\r\n",
    "line feed in an extension": b"5;a\nhello\r\n0\r\n\r\n",
    "trailer without a colon": b"5\r\nhello\r\n0\r\nno colon in here\r\n\r\n",
    "trailer with a space": b"5\r\nhello\r\n0\r\nna me: value\r\n\r\n",
    "trailer without a name": b"5\r\nhello\r\n0\r\n: value\r\n\r\n",
    "trailer with a NUL": b"5\r\nhello\r\n0\r\nname: a\x00b\r\n\r\n",
    "trailer that is folded": b"5\r\nhello\r\n0\r\n folded: value\r\n\r\n",
    "a request as a trailer": b"5\r\nhello\r\n0\r\nGET /version HTTP/1.1\r\n\r\n",
}
names = itertools.count()


def head(target: str, framing: str) -> bytes:
    method, path, headers, account = TARGETS[target]
    host = headers.get("Host", "localhost")
    more = {name: value for name, value in headers.items() if name != "Host"}
    name, _, value = framing.partition(": ")
    return http(method, path, headers=more | {name: value}, account=account, host=host)


def token(server: Server) -> str:
    """A word that no other request holds."""
    return f"token{server.port}x{next(names):05d}"


def carries_no_more(
    wire: Wire, server: Server, first: list[Answer] | None = None, wait: float = BODY + 4
) -> str:
    """Send what a proxy sends next, a user's request, and say what is wrong with the answers."""
    mark = token(server)
    wire.send(canary(mark, ADMIN, Cookie=mark))
    later, ended = wire.all(wait)
    answers = (first or []) + later
    if any(answer.id == mark for answer in answers):
        return "the connection carried another request"
    if len(answers) > 1:
        return f"{[answer.status for answer in answers]}: more answers than requests"
    if not ended:
        return f"{[answer.status for answer in answers]}: the connection stays open"
    if answers and not answers[0].closes:
        return f"{answers[0].status} without Connection: close"
    if mark in server.log.read_text():
        return "the next request's bytes are in the log"
    return ""


@pytest.mark.parametrize("chunks", BROKEN_CHUNKS)
def test_a_broken_chunk_ends_the_connection(login: Server, chunks: str) -> None:
    def case(target: str) -> str:
        with Wire(login.port) as wire:
            wire.send(head(target, "Transfer-Encoding: chunked") + BROKEN_CHUNKS[chunks])
            return carries_no_more(wire, login)

    none_fails(case, list(TARGETS))


@pytest.mark.parametrize("framing", ["Content-Length: 300", "Transfer-Encoding: chunked"])
def test_a_stalled_body_ends_the_connection(login: Server, framing: str) -> None:
    """The rest comes after the answer, when the server has given up: it is no request."""

    def case(target: str) -> str:
        mark = token(login)
        with Wire(login.port) as wire:
            rest = http("GET", f"/{mark}", headers={"X-Request-ID": mark})
            body = b"a" * (300 - len(rest)) + rest
            cut = 300 - len(rest)
            if framing.startswith("Transfer"):
                wire.send(head(target, framing) + b"12c\r\n" + body[:cut])
                rest += b"\r\n0\r\n\r\n"
            else:
                wire.send(head(target, framing) + body[:cut])
            wire.sock.settimeout(BODY + 10)
            try:
                answer = wire.final()
            except TimeoutError:
                return "neither an answer nor an end"
            if answer and not answer.closes:
                wrong = f"{answer.status} without Connection: close"
                return wrong + "; " + carries_no_more(wire, login, [answer]) if wire.send(rest) else wrong
            wire.send(rest)
            return carries_no_more(wire, login, [answer] if answer else [])

    none_fails(case, list(TARGETS))


def test_a_refused_expectation_ends_the_connection(login: Server) -> None:
    """The client may send the body all the same, as RFC 9110 10.1.1 lets it."""

    def case(target: str) -> str:
        mark = token(login)
        body = http("GET", f"/{mark}", headers={"X-Request-ID": mark}, account=ADMIN)
        first = head(target, f"Content-Length: {len(body)}").replace(
            b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"
        )
        with Wire(login.port) as wire:
            wire.send(first)
            wire.sock.settimeout(BODY + 10)
            try:
                answer = wire.answer()
            except TimeoutError:
                return "neither 100 Continue nor an answer"
            if answer is None:
                return "no answer"
            if answer.status == 100:
                wire.send(body)  # the server asked for it, so it must read it
                answers, _ = wire.all(3)
                return "" if len(answers) == 1 else f"{len(answers)} answers to one request"
            if not answer.closes:
                return f"{answer.status} without Connection: close"
            wire.send(body)
            return carries_no_more(wire, login, [answer])

    none_fails(case, list(TARGETS))


def test_an_accepted_expectation_is_met(login: Server) -> None:
    with Wire(login.port) as wire:
        target = f"{ARTIFACTS}/0/expected"
        wire.send(
            http("PUT", target, headers={"Expect": "100-continue", "Content-Length": "5"}, account=ADMIN)
        )
        first = wire.answer()
        assert first and first.status == 100
        wire.send(b"hello")
        answer = wire.final()
        assert answer and answer.status == 200
    with Wire(login.port) as wire:
        wire.send(http("GET", target, account=ADMIN))
        answer = wire.final()
        assert answer and answer.body == b"hello"


# Two readings of one message: in the one that a proxy may have, `{inner}` is body; in the other, a request.
# Either the message is refused and the connection ends, or `{inner}` is body. A bar is the end of a line.
AMBIGUOUS = {
    "two lengths": "Content-Length: {all}|Content-Length: {short}||{pad}{inner}",
    "two lengths, shorter first": "Content-Length: {short}|Content-Length: {all}||{pad}{inner}",
    "a list of lengths": "Content-Length: {short}, {all}||{pad}{inner}",
    "length with a plus": "Content-Length: +{short}||{pad}{inner}",
    "length with an underscore": "Content-Length: 1_0||{pad}{inner}",
    "hexadecimal length": "Content-Length: 0xa||{pad}{inner}",
    "negative length": "Content-Length: -1||{inner}",
    "fractional length": "Content-Length: {short}.0||{pad}{inner}",
    "length of 65 bits": "Content-Length: 18446744073709551626||{pad}{inner}",
    "empty length": "Content-Length: ||{inner}",
    "length of other digits": "Content-Length: \u00b2||{inner}",
    "length and chunks": "Content-Length: {all}|Transfer-Encoding: chunked||0||{inner}",
    "chunks and length": "Transfer-Encoding: chunked|Content-Length: {all}||0||{inner}",
    "chunks in capitals and length": "Transfer-Encoding: CHUNKED|Content-Length: {all}||0||{inner}",
    "tab before chunked": "Content-Length: {all}|Transfer-Encoding:\tchunked||0||{inner}",
    "tab after chunked": "Content-Length: {all}|Transfer-Encoding: chunked\t||0||{inner}",
    "vertical tab": "Content-Length: {all}|Transfer-Encoding: \x0bchunked||0||{inner}",
    "form feed": "Content-Length: {all}|Transfer-Encoding: chunked\x0c||0||{inner}",
    "NUL": "Content-Length: {all}|Transfer-Encoding: chunked\x00||0||{inner}",
    "no-break space": "Content-Length: {all}|Transfer-Encoding: chunked\xa0||0||{inner}",
    "space before the colon": "Content-Length: {all}|Transfer-Encoding : chunked||0||{inner}",
    "tab before the colon": "Content-Length: {all}|Transfer-Encoding\t: chunked||0||{inner}",
    "space before the length's colon": "Content-Length : {all}||{pad}{inner}",
    "space before the name": "Content-Length: {all}|X: y| Transfer-Encoding: chunked||0||{inner}",
    "folded value": "Content-Length: {all}|Transfer-Encoding:| chunked||0||{inner}",
    "folded first header": " Transfer-Encoding: chunked|Content-Length: {all}||0||{inner}",
    "folded length": "Content-Length:| {all}||{pad}{inner}",
    "underscore": "Content-Length: {all}|Transfer_Encoding: chunked||0||{inner}",
    "underscore in the length": "Content-Length: {all}|Content_Length: {short}||{pad}{inner}",
    "quoted": 'Content-Length: {all}|Transfer-Encoding: "chunked"||0||{inner}',
    "not chunked": "Content-Length: {all}|Transfer-Encoding: xchunked||0||{inner}",
    "chunked twice": "Transfer-Encoding: chunked, chunked||0||{inner}",
    "two encodings": "Transfer-Encoding: chunked|Transfer-Encoding: chunked||0||{inner}",
    "chunked, then identity": "Content-Length: {all}|Transfer-Encoding: chunked, identity||0||{inner}",
    "identity, then chunked": "Content-Length: {all}|Transfer-Encoding: identity, chunked||0||{inner}",
    "identity": "Content-Length: {all}|Transfer-Encoding: identity||{pad}{inner}",
    "gzip": "Content-Length: {all}|Transfer-Encoding: gzip||{pad}{inner}",
    "gzip, chunked": "Transfer-Encoding: gzip, chunked||0||{inner}",
    "comma": "Content-Length: {all}|Transfer-Encoding: ,chunked||0||{inner}",
    "parameter": "Content-Length: {all}|Transfer-Encoding: chunked;q=1||0||{inner}",
    "empty encoding": "Content-Length: {all}|Transfer-Encoding: ||{pad}{inner}",
    "carriage return": "Content-Length: {all}|X: y\rTransfer-Encoding: chunked||0||{inner}",
    "line feed": "Content-Length: {all}|X: y\nTransfer-Encoding: chunked||0||{inner}",
    "line feeds only": "Content-Length: {all}\nTransfer-Encoding: chunked\n\n0||{inner}",
    "chunks end with line feeds": "Transfer-Encoding: chunked||0\n\n{inner}",
    "head ends with one line feed": "Content-Length: {all}|X: y\n|{pad}{inner}",
    "empty name": "Content-Length: {all}|: Transfer-Encoding: chunked||{pad}{inner}",
    "no colon": "Content-Length: {all}|Transfer-Encoding chunked||{pad}{inner}",
    "chunk extension with a line feed": "Transfer-Encoding: chunked||5;\nhello|0||{inner}",
    "HTTP/1.0 with chunks": "Transfer-Encoding: chunked|Connection: keep-alive||0||{inner}",
    "length as a connection option": "Connection: Content-Length|Content-Length: {all}||{pad}{inner}",
}
VALID = {  # RFC 9112 reads them in one way, so a server may serve them; `{inner}` stays body
    "underscore", "underscore in the length", "length as a connection option",
}  # fmt: skip
# RFC 9112 lets a server serve these if it ends the connection right after them.
ONE_THEN_END = {"length and chunks", "chunks and length", "HTTP/1.0 with chunks", "two encodings"}


def ambiguous(name: str, method: str, path: str, inner: bytes, secret: str) -> bytes:
    """One of the messages above."""
    pad = "0123456789"
    whole = AMBIGUOUS[name].replace("|", "\r\n")
    tail = whole.partition("\r\n\r\n")[2].replace("{inner}", "").replace("{pad}", pad)
    values = {"all": len(tail) + len(inner), "short": len(pad), "pad": pad, "inner": inner.decode()}
    text = whole.format(**values)
    version = "1.0" if name.startswith("HTTP/1.0") else "1.1"
    start = f"{method} {path} HTTP/{version}\r\nHost: localhost\r\nCookie: {secret}\r\n"
    if name == "folded first header":
        start = f"{method} {path} HTTP/{version}\r\n"
        text = text.replace("\r\n\r\n", f"\r\nHost: localhost\r\nCookie: {secret}\r\n\r\n", 1)
    return start.encode() + text.encode("latin-1")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", SEARCH), ("PUT", f"{ARTIFACTS}/0/a"), ("GET", "/nothing")]
)
def test_an_ambiguous_message_is_refused(plain: Server, method: str, path: str) -> None:
    def case(name: str) -> str:
        mark = token(plain)
        inner = http("GET", f"/{mark}", headers={"X-Request-ID": mark})
        with Wire(plain.port) as wire:
            wire.send(ambiguous(name, method, path, inner, mark))
            answers, ended = wire.all(1.5 if name in VALID else BODY + 4)
        log = plain.log.read_text()
        if any(answer.id == mark for answer in answers) or f"/{mark}" in log:
            return "the body was answered as a request"
        if mark in log:
            return "a header or a body is in the log"
        if name in VALID:
            return ""
        if not ended:
            return f"{[answer.status for answer in answers]}: the connection stays open"
        if name not in ONE_THEN_END and [answer.status for answer in answers] not in ([], [400], [501]):
            return f"{[answer.status for answer in answers]}: it was served"
        return ""

    none_fails(case, list(AMBIGUOUS))


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "TLS/1.0", "HTTP/2.0, websocket", "x"])
def test_an_upgrade_is_no_way_out_of_the_framing(login: Server, protocol: str) -> None:
    """Parsers stop at an upgrade; what follows it is still a body, or another request."""
    upgrade = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": protocol,
        "HTTP2-Settings": "AAMAAABkAAQAAP__",
    }
    websocket = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}

    def case(target: str) -> str:
        method, path, headers, account = TARGETS[target]
        inner, last = token(login), token(login)
        body = http("GET", f"/{inner}", headers={"X-Request-ID": inner})
        more = {k: v for k, v in headers.items() if k != "Host"} | upgrade | websocket
        with Wire(login.port) as wire:
            wire.send(http(method, path, body, more, account, headers.get("Host", "localhost")))
            wire.send(canary(last, ADMIN))
            answers, ended = wire.all(4)
        if (
            any(answer.id == inner or answer.status < 200 for answer in answers)
            or inner in login.log.read_text()
        ):
            return f"{[answer.status for answer in answers]}: the body was answered as a request"
        if [answer.id for answer in answers[1:]] == [last]:
            return ""
        return (
            "" if ended and len(answers) <= 1 else f"{[a.status for a in answers]}: not closed, not answered"
        )

    none_fails(case, list(TARGETS))


def test_pipelined_requests_are_answered_in_their_order(login: Server) -> None:
    marks = [token(login) for _ in range(20)]
    body = b'{"max_results": 1}'
    searches = [http("POST", SEARCH, body, JSON | {"X-Request-ID": mark}, ADMIN) for mark in marks]
    with Wire(login.port) as wire:
        wire.send(b"".join(searches))
        answers = [wire.final() for _ in marks]
    assert [(answer and answer.status, answer and answer.id) for answer in answers] == [
        (200, m) for m in marks
    ]


def test_a_pipelined_request_is_no_part_of_a_refused_one(login: Server) -> None:
    """Its body came whole, so the next request may be answered, as itself."""

    def case(target: str) -> str:
        method, path, headers, account = TARGETS[target]
        inner, last = token(login), token(login)
        body = http("GET", f"/{inner}", headers={"X-Request-ID": inner}, account=ADMIN)
        more = {k: v for k, v in headers.items() if k != "Host"}
        with Wire(login.port) as wire:
            wire.send(
                http(method, path, body, more, account, headers.get("Host", "localhost"))
                + canary(last, ADMIN)
            )
            answers, ended = wire.all(3)
        if any(answer.id == inner for answer in answers):
            return "the body was answered as a request"
        if [answer.id for answer in answers[1:]] == [last]:
            return ""
        return (
            "" if ended and len(answers) == 1 else f"{[a.status for a in answers]}: not closed, not answered"
        )

    none_fails(case, list(TARGETS))


TRAILERS = {
    "Authorization": "Basic YWRtaW46YSBsb25nIGFkbWluIHBhc3N3b3Jk",
    "X-MLflow-Authorization": "Basic YWRtaW46YSBsb25nIGFkbWluIHBhc3N3b3Jk",
    "Host": "evil.example.com",
    "Origin": "https://evil.example.com",
    "X-Request-ID": "trailer",
    "Content-Length": "3",
    "Transfer-Encoding": "identity",
    "Content-Type": "text/evil",
    "Connection": "close",
}


def test_a_trailer_is_no_header(login: Server) -> None:
    def case(name: str) -> str:
        end = f"0\r\n{name}: {TRAILERS[name]}\r\n\r\n".encode()
        wrong = []
        for account, expected in ((ADMIN, 200), (None, 401), (BOB, 403)):
            with Wire(login.port) as wire:
                whole = {"Transfer-Encoding": "chunked", "X-Request-ID": "own"}
                wire.send(http("PUT", f"{ARTIFACTS}/0/trailer", headers=whole, account=account))
                wire.send(chunk(b"hello") + end)
                answer = wire.final()
            refused = answer is not None and answer.status == 400 and answer.closes
            if not refused and (answer is None or (answer.status, answer.id) != (expected, "own")):
                wrong.append(f"{answer and (answer.status, answer.id)} instead of {expected}")
        return ", ".join(wrong)

    none_fails(case, list(TRAILERS))
    stored = login.folder / "artifacts" / "0" / "trailer"
    assert stored.read_bytes() == b"hello"


UNREADABLE = {
    "no version": b"GET /TOKEN\r\nHost: localhost\r\n\r\n",
    "HTTP/0.9": b"GET /TOKEN\r\n\r\n",
    "HTTP/2": b"GET /TOKEN HTTP/2.0\r\nHost: localhost\r\n\r\n",
    "HTTP/1.2": b"GET /TOKEN HTTP/1.2\r\nHost: localhost\r\n\r\n",
    "HTTP/11": b"GET /TOKEN HTTP/11\r\nHost: localhost\r\n\r\n",
    "small letters": b"GET /TOKEN http/1.1\r\nHost: localhost\r\n\r\n",
    "another protocol": b"GET /TOKEN ICE/1.0\r\nHost: localhost\r\n\r\n",
    "a space in the target": b"GET /TOKEN HTTP/1.1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nTOKEN",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03TOKEN\r\n\r\n",
    "JSON": b'{"TOKEN": 1}\r\n\r\n',
    "control character in a name": b"GET /version HTTP/1.1\r\nHost: localhost\r\nX\x01: TOKEN\r\n\r\n",
    "control character in a value": b"GET /version HTTP/1.1\r\nHost: localhost\r\nX: TOKEN\x00\r\n\r\n",
    "brackets in a name": b"GET /version HTTP/1.1\r\nHost: localhost\r\nX(: TOKEN\r\n\r\n",
    "NUL in the target": b"GET /TOKEN\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "absolute target": b"GET http://localhost/TOKEN HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "absolute target elsewhere": b"GET http://evil.example.com/TOKEN HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "target without a slash": b"GET TOKEN HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "star": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nX: TOKEN\r\n\r\n",
    "authority": b"GET localhost:80 HTTP/1.1\r\nHost: localhost\r\nX: TOKEN\r\n\r\n",
    "query only": b"GET ?TOKEN HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "backslash": b"GET \\TOKEN HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


REFUSALS = ([400], [501], [505])  # bytes that hold no method may count as an unknown one


def test_what_cannot_be_read_is_refused(plain: Server) -> None:
    def case(name: str) -> str:
        mark, last = token(plain), token(plain)
        with Wire(plain.port) as wire:
            wire.send(UNREADABLE[name].replace(b"TOKEN", mark.encode()) + canary(last))
            answers, ended = wire.all(6)
        statuses = [answer.status for answer in answers]
        wrong = (
            "" if statuses in ([400], [505]) and ended and answers[0].closes else f"{statuses} ended: {ended}"
        )
        log = plain.log.read_text()
        return wrong + (" and its bytes are in the log" if mark in log or last in log else "")

    none_fails(case, list(UNREADABLE))


HOSTS = {
    "none": b"GET / HTTP/1.1\r\nX: y\r\n\r\n",
    "none, on /health": b"GET /health HTTP/1.1\r\nX: y\r\n\r\n",
    "none, in a trailer": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: a\r\n\r\n",
    "two": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    "two, other case": b"GET / HTTP/1.1\r\nHost: localhost\r\nhOST: evil.example.com\r\n\r\n",
    "two, on /health": b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.com\r\n\r\n",
    "two, on /version": b"GET /version HTTP/1.1\r\nHost: evil.example.com\r\nHost: localhost\r\n\r\n",
    "a list": b"GET / HTTP/1.1\r\nHost: localhost, localhost\r\n\r\n",
}


def test_a_request_names_one_host(plain: Server) -> None:
    def case(name: str) -> str:
        last = token(plain)
        with Wire(plain.port) as wire:
            wire.send(HOSTS[name] + canary(last))
            answers, ended = wire.all(1)
        statuses = [answer.status for answer in answers]
        safe = ended if statuses == [400] else [answer.id for answer in answers[1:]] == [last]
        return "" if statuses[:1] == [400] and safe else f"{statuses} ended: {ended}"

    none_fails(case, HOSTS)


@pytest.mark.parametrize("target", list(TARGETS))
def test_a_refusal_reaches_a_client_that_still_sends(login: Server, target: str) -> None:
    """Proxies written in Go cut off an answer that is faster than the bytes they have left to send."""
    method, path, headers, account = TARGETS[target]
    body = b'{"max_results": 1}'
    more = {k: v for k, v in headers.items() if k != "Host"} | {"Content-Length": str(len(body))}
    for pause in (0.02, 0.3):
        with Wire(login.port) as wire:
            wire.send(
                http(method, path, headers=more, account=account, host=headers.get("Host", "localhost"))
            )
            wire.sock.settimeout(pause)
            with pytest.raises(TimeoutError):
                wire.answer()
            wire.sock.settimeout(30)
            assert wire.send(body)
            answer = wire.final(method)
            assert answer and answer.status == {"stored": 200, "read as JSON": 200}.get(target, answer.status)
            assert answer.status != 500 and (not answer.closes or wire.ended())
