"""Bytes of the first page of the UI: index.html and the scripts and styles that it names."""

import re
import urllib.parse
import urllib.request
from typing import Any

FILES = re.compile(r'<(?:script|link)[^>]*?(?:src|href)="([^"]+\.(?:js|css))"')


def sizes(url: str) -> dict[str, Any]:
    """Return the bytes on the wire for a client without compression and for one with gzip, and the files."""
    page = _body(url + "/", "identity")
    files = FILES.findall(page.decode())
    addresses = [url + "/", *(urllib.parse.urljoin(url + "/", file) for file in files)]
    return {
        "files": len(addresses),
        "plain_bytes": sum(len(_body(each, "identity")) for each in addresses),
        "gzip_bytes": sum(len(_body(each, "gzip")) for each in addresses),
    }


def _body(address: str, encoding: str) -> bytes:
    asked = urllib.request.Request(address, headers={"Accept-Encoding": encoding})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        body: bytes = answer.read()
    return body
