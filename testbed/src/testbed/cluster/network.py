"""The network of a cluster on the machine: a bridge with the links of the nodes, and routes to pods.

The machine reaches nodes, pods and Services directly. Nothing else is routed: what is meant for the
cluster never leaves the machine, also while the nodes are down.
"""

import ipaddress
import json
from pathlib import Path

from mlflowops import shell

from testbed import tools
from testbed.cluster.layout import Layout, Node
from testbed.cluster.waiting import wait_until

# Each daemon and container watches files; the kernel's default for all of root's processes is 128.
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_WANTED = 8192


def link_exists(name: str) -> bool:
    """Whether the machine has a network link of this name."""
    return Path("/sys/class/net", name).exists()


def is_free(layout: Layout) -> bool:
    """Whether nothing on this machine uses the names and addresses of this cluster."""
    wanted = ipaddress.ip_network(layout.whole_range)
    routed = [
        ipaddress.ip_network(route["dst"], strict=False)
        for route in json.loads(_ip("-4", "-json", "route", "show", "table", "all"))
        if route["dst"] != "default"
    ]
    return not link_exists(layout.bridge) and not any(wanted.overlaps(network) for network in routed)


def claim(layout: Layout) -> bool:
    """Make the bridge. If several processes try at the same time, the kernel lets only one succeed."""
    ip = tools.ensure("ip")
    return shell.run([ip, "link", "add", layout.bridge, "type", "bridge"], check=False).returncode == 0


def up(layout: Layout) -> None:
    """Make the bridge ready, and the route that keeps the cluster's addresses on this machine."""
    _prepare_kernel()
    if not link_exists(layout.bridge):
        claim(layout)
    _ip("address", "replace", f"{layout.host_address}/24", "dev", layout.bridge)
    _ip("link", "set", layout.bridge, "up")
    _ip("route", "replace", "unreachable", layout.whole_range, "metric", "4096")


def connect(node: Node, pid: int) -> None:
    """Lay a cable between the bridge and the node whose process 1 is `pid`, and route to its pods."""
    if not link_exists(node.link):
        end = ["peer", "name", "eth0", "netns", str(pid)]
        _ip("link", "add", node.link, "type", "veth", *end)
    _ip("link", "set", node.link, "master", node.layout.bridge, "up")
    ranges = [node.pod_range, *([node.layout.service_range] if node.number == 1 else [])]
    for each in ranges:
        _ip("route", "replace", each, "via", node.address)


def disconnect(node: Node) -> None:
    """Remove what is left of a cable; it goes by itself a moment after its node."""
    if link_exists(node.link):
        _ip("link", "delete", node.link, check=False)
        wait_until(lambda: not link_exists(node.link), 10, f"removal of link {node.link}")


def down(layout: Layout) -> None:
    """Remove the bridge, and with it its routes, and the route of the whole range."""
    if link_exists(layout.bridge):
        _ip("link", "delete", layout.bridge)
    _ip("route", "delete", "unreachable", layout.whole_range, "metric", "4096", check=False)


def _prepare_kernel() -> None:
    if int(INOTIFY.read_text()) < INOTIFY_WANTED:
        INOTIFY.write_text(str(INOTIFY_WANTED))
    if not Path("/proc/sys/net/bridge").exists():
        shell.run(["modprobe", "br_netfilter"])


def _ip(*words: str, check: bool = True) -> str:
    return shell.run([tools.ensure("ip"), *words], check=check).stdout
