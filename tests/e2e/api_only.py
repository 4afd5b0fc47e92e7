"""Run a command that reaches nothing but a cluster's API server: a proof that tests need nothing else.

The command gets a network namespace that has a loopback and no other link. The API server's address is on
that loopback, and this process, which stays outside, passes connections to its port on. Needs root.

    cd tests && python -m e2e.api_only KUBECONFIG COMMAND [ARGUMENT ...]
"""

import array
import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from testbed import tools

BLOCK = 65536


def api_server(kubeconfig: Path) -> tuple[str, int]:
    """Address and port of the kubeconfig's first cluster."""
    url = urlsplit(yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"])
    assert url.hostname and url.port, url
    return url.hostname, url.port


def listen_inside(server: tuple[str, int], outside: socket.socket) -> None:
    """In the namespace: give the loopback the server's address, listen there, send the listener outside."""
    ip = str(tools.ensure("ip"))
    subprocess.run([ip, "link", "set", "lo", "up"], check=True)
    subprocess.run([ip, "address", "add", f"{server[0]}/32", "dev", "lo"], check=True)
    listener = socket.create_server(server, backlog=128)
    descriptor = array.array("i", [listener.fileno()])
    outside.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptor)])


def copy(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until one side ends."""
    with contextlib.suppress(OSError):
        while block := source.recv(BLOCK):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)


def serve(listener: socket.socket, server: tuple[str, int]) -> None:
    """Connect each client of the listener with the API server."""
    while True:
        client, _ = listener.accept()
        try:
            upstream = socket.create_connection(server, 10)
        except OSError:
            client.close()
            continue
        upstream.settimeout(None)
        for pair in ((client, upstream), (upstream, client)):
            threading.Thread(target=copy, args=pair, daemon=True).start()


def run_inside(descriptor: int, kubeconfig: Path, command: list[str]) -> None:
    """In the namespace: send the listener outside, then become the command."""
    with socket.socket(fileno=descriptor) as outside:
        listen_inside(api_server(kubeconfig), outside)
    os.execvp(command[0], command)  # noqa: S606 - the command that was asked for


def run(kubeconfig: Path, command: list[str]) -> int:
    """Start the command in the namespace and serve it until it ends; its exit code."""
    server = api_server(kubeconfig)
    outside, inside = socket.socketpair()
    again = [
        sys.executable,
        "-m",
        "e2e.api_only",
        "--inside",
        str(inside.fileno()),
        str(kubeconfig),
        *command,
    ]
    child = subprocess.Popen(["unshare", "--net", *again], pass_fds=[inside.fileno()])
    inside.close()
    _, [descriptor], _, _ = socket.recv_fds(outside, 1, 1)
    threading.Thread(target=serve, args=(socket.socket(fileno=descriptor), server), daemon=True).start()
    return child.wait()


def main() -> int:
    """Run the command line that the docstring of this file shows."""
    if sys.argv[1] == "--inside":
        run_inside(int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
    return run(Path(sys.argv[1]), sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
