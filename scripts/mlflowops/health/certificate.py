"""Checks the expiry and the hosts of the certificates of the Ingresses."""

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from cryptography import x509

from mlflowops.health import ingress
from mlflowops.health.check import Check, green, red, yellow
from mlflowops.health.release import Release
from mlflowops.kube import Json, Reader

RENEWAL_OVERDUE = timedelta(days=21)
"""cert-manager renews one of 90 days 30 days before its end: with less left, renewing has failed."""


def checks(release: Release, reader: Reader) -> Iterator[Check]:
    """Yield one check for each TLS Secret of the Ingresses of the release."""
    for each in ingress.list_ingresses(release, reader):
        for tls in each["spec"].get("tls", []):
            if name := tls.get("secretName"):
                yield evaluate(name, tls.get("hosts", []), reader.secret(name), release.namespace)


def evaluate(name: str, hosts: list[str], secret: Json | None, namespace: str) -> Check:
    """Evaluate a TLS Secret for the hosts of its Ingress."""
    fix = f"`kubectl describe certificate -n {namespace}` says why cert-manager does not renew it"
    if secret is None:
        fix = f"`kubectl describe certificate -n {namespace}`, or make it: `kubectl create secret tls {name}`"
        return red("certificate", f"Secret {name} does not exist", fix)
    try:
        certificate = x509.load_pem_x509_certificate(base64.b64decode(secret["data"]["tls.crt"]))
    except (KeyError, ValueError):
        return red(
            "certificate",
            f"Secret {name} holds no certificate in tls.crt",
            "make it with `kubectl create secret tls`",
        )
    uncovered = [host for host in hosts if not _is_valid_for(certificate, host)]
    if uncovered:
        names = ", ".join(_names(certificate)) or "no host"
        return red(
            "certificate",
            f"{name} is for {names}, not for {', '.join(uncovered)}",
            "issue it for ingress.tls[].hosts",
        )
    return _expiry_check(name, certificate.not_valid_after_utc, fix)


def _expiry_check(name: str, end: datetime, fix: str) -> Check:
    left = end - datetime.now(timezone.utc)
    if left < timedelta(0):
        return red("certificate", f"{name} expired on {end:%Y-%m-%d}", fix)
    detail = f"{name} lasts until {end:%Y-%m-%d}, {left.days} days"
    return green("certificate", detail) if left >= RENEWAL_OVERDUE else yellow("certificate", detail, fix)


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(x509.DNSName)


def _is_valid_for(certificate: x509.Certificate, host: str) -> bool:
    """Return whether the certificate has the host, or a wildcard for its first label."""
    return bool({host, f"*.{host.partition('.')[2]}"} & set(_names(certificate)))
