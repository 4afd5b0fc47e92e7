"""Certificate authorities of tests, and certificates that they sign for names in the cluster."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from testbed.cluster.pki import SIGNS


@dataclass
class Authority:
    """An authority with a key of its own; each certificate lasts a day."""

    name: str

    @cached_property
    def key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def certificate(self) -> str:
        """Its own certificate, in PEM form, for those who trust it."""
        own = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        made = (
            _builder(self.name, self.name, self.key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(own, critical=False)
            .add_extension(SIGNS, critical=True)
        )
        return _pem(made.sign(self.key, hashes.SHA256()))

    def sign(self, host: str) -> dict[str, str]:
        """A new certificate of this host and its key, as a Secret of type `kubernetes.io/tls` has them."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = (
            _builder(host, self.name, key)
            .add_extension(names, critical=False)
            .add_extension(signer, critical=False)
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {"tls.crt": _pem(made.sign(self.key, hashes.SHA256())), "tls.key": private.decode()}


def _builder(subject: str, issuer: str, key: Any) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
