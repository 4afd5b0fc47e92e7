"""Checks that each Ingress of the release leads to its Service and that its hosts answer."""

from collections.abc import Iterator
from typing import Any

import requests

from mlflowops.health.check import Check, green, red, unknown
from mlflowops.health.release import Release
from mlflowops.kube import Json, Reader

LOGIN_STATUSES = (401, 403)
"""Statuses of a login in front of MLflow: the Ingress works."""


def list_ingresses(release: Release, reader: Reader) -> list[Json]:
    """Return the Ingresses of the namespace that lead to the Service of the release."""
    ingresses = reader.list_if_served("networking.k8s.io/v1", "ingresses")
    return [each for each in ingresses if any(_services(each, release.name))]


def checks(release: Release, reader: Reader) -> Iterator[Check]:
    """Yield one check for each Ingress."""
    for ingress in list_ingresses(release, reader):
        service = reader.service(release.name)
        yield _wrong_port_check(ingress, release, service) or _hosts_check(ingress, release, reader.seconds)


def _services(ingress: Json, name: str) -> Iterator[Json]:
    """Yield the backends of an Ingress that are this Service."""
    spec = ingress["spec"]
    paths = [path for rule in spec.get("rules", []) for path in rule.get("http", {}).get("paths", [])]
    backends = [path["backend"] for path in paths] + [spec.get("defaultBackend", {})]
    for backend in backends:
        service = backend.get("service", {})
        if service.get("name") == name:
            yield service


def _wrong_port_check(ingress: Json, release: Release, service: Json | None) -> Check | None:
    if service is None:
        return red(
            "ingress", f"{_name(ingress)} leads to service/{release.name}, which does not exist", "deploy it"
        )
    known: set[Any] = {
        each[key] for each in service["spec"]["ports"] for key in ("name", "port") if key in each
    }
    for backend in _services(ingress, release.name):
        port = backend["port"].get("name") or backend["port"].get("number")
        if port not in known:
            detail = f"{_name(ingress)} leads to port {port}, which service/{release.name} does not have"
            return red("ingress", detail, f"name one of {', '.join(sorted(map(str, known)))}")
    return None


def _hosts_check(ingress: Json, release: Release, seconds: float | None) -> Check:
    """Request every host; return the first failed check, else one for all."""
    secure = {host for each in ingress["spec"].get("tls", []) for host in each.get("hosts", [])}
    hosts = [each["host"] for each in ingress["spec"].get("rules", []) if "*" not in each.get("host", "*")]
    urls = [f"{'https' if host in secure else 'http'}://{host}{release.path}" for host in hosts]
    answers = [_host_check(url, ingress, seconds) for url in urls]
    bad = next((each for each in answers if each.status != "ok"), None)
    return bad or green("ingress", "; ".join(each.detail for each in answers) or _describe_address(ingress))


def _host_check(url: str, ingress: Json, seconds: float | None) -> Check:
    try:
        answer = requests.get(f"{url}/health", timeout=seconds, allow_redirects=False)
    except requests.exceptions.SSLError as error:
        detail = f"{url} has a certificate that this machine does not trust: {_reason(error)}"
        return red(
            "ingress", detail, "see its certificate; for an authority of your own set REQUESTS_CA_BUNDLE"
        )
    except requests.RequestException as error:
        return _unreachable_check(url, ingress, error)
    if answer.ok or answer.status_code in LOGIN_STATUSES:
        return green("ingress", f"{url} answers {answer.status_code}")
    fix = "is it another controller's host? `kubectl describe ingress -n {namespace} {name}`"
    if answer.status_code >= 500:
        fix = "see the endpoints; may the controller in, if there is a networkPolicy?"
    return red("ingress", f"{url}/health answers {answer.status_code}", fix.format(**ingress["metadata"]))


def _unreachable_check(url: str, ingress: Json, error: Exception) -> Check:
    """Distinguish an Ingress without a controller from one that this machine cannot reach."""
    served = _address(ingress)
    if served:
        detail = f"{_name(ingress)} is served at {served}, but {url} does not answer here: {_reason(error)}"
        return unknown(
            "ingress", detail, f"make a DNS record for it, or look from where {served} can be reached"
        )
    wanted = ingress["spec"].get("ingressClassName") or "the default class"
    detail = f"no controller serves {_name(ingress)}: it has no address, and {url} does not answer"
    return red(
        "ingress",
        detail,
        f"is there a controller of {wanted}? `kubectl get ingressclass`; set ingress.className",
    )


def _address(ingress: Json) -> str:
    places = ingress.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    return ", ".join(each.get("hostname") or each.get("ip", "") for each in places)


def _describe_address(ingress: Json) -> str:
    return f"{_name(ingress)} is served at {_address(ingress) or 'an address that its status lacks'}"


def _name(ingress: Json) -> str:
    return f"ingress/{ingress['metadata']['name']}"


def _reason(error: Exception) -> str:
    """Return the message of the innermost error."""
    inner = error.args[0] if error.args else error
    return str(getattr(inner, "reason", inner)).rsplit(": ", 1)[-1]
