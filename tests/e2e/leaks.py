"""Secrets in logs: every value of every Secret of a namespace, looked for in the log of every container."""

import base64
import json
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field

from kubernetes.client import V1Pod

from e2e.kube import Kube

# The public half of a certificate, and names. A presigned address holds the id of its key.
PUBLIC = ("ca.crt", "tls.crt", "username", "AWS_ACCESS_KEY_ID")
# Shorter ones would be found by chance.
LEAST = 8


@dataclass
class Look:
    """What was looked for in a namespace, where, and what was found; never a value."""

    secrets: set[str] = field(default_factory=set)
    """`Secret/key`."""
    logs: set[str] = field(default_factory=set)
    """`component/container`, of containers that wrote something."""
    found: set[str] = field(default_factory=set)
    """`pod/container: Secret/key`."""


def look(kube: Kube, namespace: str) -> Look:
    """Look for each value of each Secret in each log that there is."""
    wanted: dict[str, set[str]] = {}
    for secret, value in _values(kube, namespace):
        wanted.setdefault(secret, set()).update(_forms(value))
    seen = Look(set(wanted))
    for pod in kube.pods(namespace, ""):
        for container in [*(pod.spec.init_containers or []), *pod.spec.containers]:
            log = kube.logs(namespace, pod.metadata.name, container.name)
            if log and not log.startswith("(no log"):
                seen.logs.add(f"{_component(pod)}/{container.name}")
            place = f"{pod.metadata.name}/{container.name}"
            seen.found |= {f"{place}: {secret}" for secret, forms in wanted.items() if _holds(log, forms)}
    return seen


def remove(kube: Kube, namespace: str) -> None:
    """Delete a namespace, after a look whether a log in it holds a Secret."""
    try:
        assert not look(kube, namespace).found
    finally:
        kube.delete_namespace(namespace)


def _holds(log: str, forms: set[str]) -> bool:
    return any(form in log for form in forms)


def _component(pod: V1Pod) -> str:
    return str((pod.metadata.labels or {}).get("app.kubernetes.io/component"))


def _values(kube: Kube, namespace: str) -> Iterator[tuple[str, str]]:
    """`Secret/key`, and a value that it has or was given by a test."""
    for secret in kube.core.list_namespaced_secret(namespace).items:
        if secret.type == "helm.sh/release.v1":
            continue
        name = secret.metadata.name
        data = {
            key: base64.b64decode(each).decode(errors="replace") for key, each in (secret.data or {}).items()
        }
        for given in [data, *kube.given.get((namespace, name), [])]:
            for key, value in given.items():
                if key not in PUBLIC and len(value.strip()) >= LEAST:
                    yield f"{name}/{key}", value.strip()


def _forms(value: str) -> set[str]:
    """Unchanged, and as it would stand in code, JSON, a URL or a header."""
    quoted = {urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value)}
    encoded = base64.b64encode(value.encode()).decode()
    return {value, repr(value)[1:-1], json.dumps(value)[1:-1], encoded, *quoted}
