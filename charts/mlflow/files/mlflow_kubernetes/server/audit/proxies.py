"""Which client a request comes from, where proxies stand before the server."""

import ipaddress
import re
from collections.abc import Iterable

from mlflow_kubernetes.addresses import plain
from mlflow_kubernetes.log import logger

# Some proxies write the port behind an address.
PORT = re.compile(r"\[(?P<v6>[^]]+)\](:\d+)?|(?P<v4>[0-9.]+):\d+")


class Proxies:
    """Proxies whose X-Forwarded-For is believed, for the audit log and nothing else.

    Args:
        networks: Their addresses, as networks in CIDR form.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        self.networks = [each for each in map(_network, networks) if each]

    def client(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """Return the last address of the way that is none of a trusted proxy.

        A client may send the header too. Each proxy adds the address that it saw behind what is there, so
        the header is read from its end.
        """
        if not self.networks or not self._trusts(peer):
            return peer
        given = b",".join(value for name, value in headers if name == b"x-forwarded-for").decode("latin-1")
        client = peer
        for text in reversed(given.split(",")):
            address = _address(text.strip())
            if address is None:
                break
            client = address
            if not self._trusts(client):
                break
        return client

    def _trusts(self, address: str) -> bool:
        try:
            return any(ipaddress.ip_address(address) in each for each in self.networks)
        except ValueError:
            return False


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False) if text.strip() else None
    except ValueError:
        logger("audit").warning(
            f"{text.strip()!r} of mlflow.audit.trustedProxies is no network; it is ignored."
        )
        return None


def _address(text: str) -> str | None:
    """An address in its usual form; None for anything else."""
    found = PORT.fullmatch(text)
    try:
        return plain(str(ipaddress.ip_address(plain((found["v6"] or found["v4"]) if found else text))))
    except ValueError:
        return None
