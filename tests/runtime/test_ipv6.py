"""Pods with IPv4, with both families, and with IPv6 only: server and metrics answer at each address.

The programs run in a network namespace whose loopback has the addresses of the case.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.network import read_until
from runtime.server import PACKAGE, environment
from testbed import tools

IPV4, IPV6 = "127.0.0.1", "[::1]"
EVERY = "0.0.0.0"  # noqa: S104 - as the chart says it
ASK = """
import sys, time, urllib.request
deadline = time.monotonic() + 240
for address in sys.argv[1:]:
    while True:
        try:
            urllib.request.urlopen(f"http://{address}", timeout=10)
            print(address)
            break
        except OSError as error:
            if time.monotonic() > deadline:
                print(error)
                break
            time.sleep(0.5)
"""
FAMILIES = {
    "ipv4": (["sysctl -qw net.ipv6.conf.lo.disable_ipv6=1"], [IPV4]),
    "dual-stack": ([], [IPV4, IPV6]),
    "ipv6": (["{ip} address delete 127.0.0.1/8 dev lo"], [IPV6]),
}


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def namespace(family: str) -> Iterator[list[str]]:
    """What goes before a command so that it runs in a namespace with these addresses."""
    ip = tools.ensure("ip")
    commands = [f"{ip} link set lo up", *(each.format(ip=ip) for each in FAMILIES[family][0])]
    script = " && ".join([*commands, "echo ready", "exec sleep 600"])
    unshare = ["unshare", "--net", "sh", "-ec", script]
    with subprocess.Popen(unshare, stdout=subprocess.PIPE, text=True) as keeper:
        try:
            read_until(keeper, "ready")  # before that, it may still be in the namespace of this program
            yield ["nsenter", f"--net=/proc/{keeper.pid}/ns/net"]
        finally:
            keeper.terminate()


def answering(namespace: list[str], *urls: str) -> list[str]:
    """Which of the addresses answer."""
    done = subprocess.run([*namespace, sys.executable, "-c", ASK, *urls], text=True, capture_output=True)
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize("launcher", ["direct", "upstream"])
def test_the_server_answers(namespace: list[str], family: str, launcher: str, tmp_path: Path) -> None:
    pod_ip = "::1" if family == "ipv6" else "127.0.0.1"
    more = {"MLFLOW_HOST": EVERY, "POD_IP": pod_ip, "MLFLOW_PORT": "5000"}
    more["MLFLOW_BACKEND_STORE_URI"] = f"sqlite:///{tmp_path}/mlflow.db"
    env = environment(tmp_path, MLFLOW_KUBERNETES_LAUNCHER=launcher, **more)
    addresses = [f"{each}:5000/health" for each in FAMILIES[family][1]]
    if launcher == "upstream":  # uvicorn listens for one family, that of the pod's address
        addresses = addresses[:1]
    with (tmp_path / "log").open("w") as log:
        command = [*namespace, sys.executable, str(PACKAGE), "server"]
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=tmp_path)
    try:
        assert answering(namespace, *addresses) == addresses, (tmp_path / "log").read_text()
    finally:
        process.terminate()
        process.wait(60)


def test_the_metrics_answer(namespace: list[str], family: str, tmp_path: Path) -> None:
    env = environment(tmp_path, MLFLOW_EXPOSE_PROMETHEUS=str(tmp_path))
    addresses = [f"{each}:9464/metrics" for each in FAMILIES[family][1]]
    process = subprocess.Popen([*namespace, sys.executable, str(PACKAGE), "metrics", "workers"], env=env)
    try:
        assert answering(namespace, *addresses) == addresses
    finally:
        process.terminate()
        process.wait(60)
