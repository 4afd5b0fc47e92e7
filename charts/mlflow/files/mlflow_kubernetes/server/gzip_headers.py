"""Which requests ask for gzip, and the headers of an answer in it."""

import zlib
from collections.abc import Iterable

Headers = Iterable[tuple[bytes, bytes]]
GZIP = 16 + zlib.MAX_WBITS  # zlib's number for the format
VARY = (b"vary", b"Accept-Encoding")


def accepts_gzip(headers: Headers) -> bool:
    """Return whether a request wants gzip at least as much as no encoding (RFC 9110, section 12.5.3)."""
    from werkzeug.datastructures import Accept
    from werkzeug.http import parse_accept_header

    values = [value.decode("latin-1") for name, value in headers if name == b"accept-encoding"]
    accepted = parse_accept_header(",".join(values), Accept)
    return bool(0 < accepted.quality("gzip") >= accepted.quality("identity"))


def with_vary(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Make caches keep an answer for each Accept-Encoding."""
    return [*(each for each in headers if each != VARY), VARY]


def as_gzip(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return the headers of the same answer in gzip, without its length."""
    kept = [each for each in with_weak_etag(headers) if each[0] not in (b"content-length", b"accept-ranges")]
    return [*kept, (b"content-encoding", b"gzip")]


def with_weak_etag(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Make the ETag weak: the bytes in gzip are others than those that it was computed for."""
    return [
        (name, b"W/" + value) if name == b"etag" and not value.startswith(b"W/") else (name, value)
        for name, value in headers
    ]
