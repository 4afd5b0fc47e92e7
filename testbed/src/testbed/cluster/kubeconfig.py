"""Writes kubeconfig files."""

import base64
from pathlib import Path

import yaml

from testbed.cluster.pki import Authority, Pair, write_secret


def write(file: Path, name: str, server: str, authority: Authority, pair: Pair) -> None:
    """Write a kubeconfig with one context, called `name`."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": _text(authority.pair.certificate),
                },
            }
        ],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": _text(pair.certificate),
                    "client-key-data": _text(pair.key),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    write_secret(file, yaml.safe_dump(content, sort_keys=False).encode())


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
