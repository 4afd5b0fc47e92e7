"""Checks cluster DNS, which shows that the network, a Service and a pod work."""

import contextlib
import socket
import struct

NAME = "kubernetes.default.svc.cluster.local"
TIMEOUT = 1


def answers(server: str) -> bool:
    """Ask for the address of the API server's Service, as pods do."""
    labels = [part.encode() for part in NAME.split(".")]
    question = b"".join(bytes([len(label)]) + label for label in labels) + b"\0" + struct.pack(">HH", 1, 1)
    query = struct.pack(">6H", 1, 0x0100, 1, 0, 0, 0) + question
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(TIMEOUT)
        asking.connect((server, 53))
        asking.send(query)
        _, _, _, found, _, _ = struct.unpack(">6H", asking.recv(512)[:12])
        return found > 0
    return False
