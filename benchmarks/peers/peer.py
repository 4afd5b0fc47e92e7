"""The servers that are compared."""

from dataclasses import dataclass, field
from typing import Any

LOGIN: dict[str, Any] = {"auth": {"mode": "basic"}}


@dataclass(frozen=True)
class Peer:
    """A server as one chart runs it.

    `manifest` names the manifest of another chart; `values` are for our chart, on top of ours.yaml.
    `login` is whether clients need an account. `alone` is whether its start and memory are measured too.
    `shares` is the peer whose database it uses too.
    """

    name: str
    title: str
    manifest: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    login: bool = False
    alone: bool = True
    shares: str = ""

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
EVERY = (*PEERS, *LOGIN_PEERS, INDEXED)


def asked(group: str) -> tuple[Peer, ...]:
    """Return the peers of a group of a case: `every`, `both`, `login` or `indexed`."""
    groups = {"every": PEERS, "both": (OURS, OFFICIAL), "login": LOGIN_PEERS, "indexed": (INDEXED,)}
    return groups[group]
