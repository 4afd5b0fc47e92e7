"""The servers that are compared."""

from dataclasses import dataclass, field
from typing import Any

LOGIN: dict[str, Any] = {"auth": {"mode": "basic"}}


@dataclass(frozen=True)
class Peer:
    """A server as one chart runs it.

    `manifest` names the manifest of another chart; `values` are for our chart, on top of ours.yaml.
    `login` is whether clients need an account. `alone` is whether its start and memory are measured too.
    `shares` is the peer whose database it uses too. `image` is the name of an image of testbed/images.
    """

    name: str
    title: str
    manifest: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    login: bool = False
    alone: bool = True
    shares: str = ""
    image: str = "mlflow"

    @property
    def namespace(self) -> str:
        """The namespace of its pods."""
        return f"benchmark-{self.name}"

    @property
    def database(self) -> str:
        """The database that it uses."""
        return f"benchmark_{self.shares or self.name}".replace("-", "_")


OURS = Peer("ours", "this chart")
OFFICIAL = Peer("official", "official chart", manifest="official.yaml")
PEERS = (
    OURS,
    Peer("ours-plain", "this chart, fastPaths off", values={"mlflow": {"fastPaths": False}}, alone=False),
    OFFICIAL,
    Peer("community", "community chart", manifest="community.yaml"),
)
LOGIN_PEERS = (
    Peer("ours-login", "this chart, basic-auth", values=LOGIN, login=True),
    Peer("community-login", "community chart, basic-auth", manifest="community.yaml", login=True),
)

INDEXED = Peer(
    "ours-indexed",
    "this chart, indexes.latestMetrics",
    values={"backendStore": {"postgres": {"indexes": {"latestMetrics": True}}}},
    alone=False,
    shares=OURS.name,
)
# MLflow's own server, the same version and libraries, in images that differ by the Python that runs it.
PYTHON_PEERS = (
    Peer("python-3-13", "official chart, Python 3.13", manifest="official.yaml", alone=False),
    Peer(
        "python-3-11", "official chart, Python 3.11", manifest="official.yaml", alone=False, image="upstream"
    ),
)
EVERY = (*PEERS, *LOGIN_PEERS, INDEXED, *PYTHON_PEERS)


def asked(group: str) -> tuple[Peer, ...]:
    """Return the peers of a group of a case: `every`, `both`, `login`, `indexed` or `python`."""
    groups = {
        "every": PEERS,
        "both": (OURS, OFFICIAL),
        "login": LOGIN_PEERS,
        "indexed": (INDEXED,),
        "python": PYTHON_PEERS,
    }
    return groups[group]
