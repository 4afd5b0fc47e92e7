"""At which addresses the programs of a pod listen, and how they write a client's."""

import socket

IPV4_MAPPED = "::ffff:"


def every_address() -> str:
    """Return the host that stands for all addresses of the pod.

    It is `::`, which takes IPv4 connections too, or `0.0.0.0` where the kernel has no IPv6.
    """
    try:
        with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True):
            return "::"
    except (OSError, ValueError):
        return "0.0.0.0"  # noqa: S104 - the pod's Service and policy decide who comes in


def plain(address: str) -> str:
    """Return a client's address in its usual form: a socket for both families writes `::ffff:192.0.2.1`."""
    return address.removeprefix(IPV4_MAPPED)
