"""The translation: first what needs more than a new name, then the rest by the chart's own tables."""

import re
from collections.abc import Callable
from enum import Enum
from typing import Any

from mlflowops.migrate_values import (
    artifacts,
    database,
    environment,
    kubernetes_auth,
    login_values,
    server_values,
)
from mlflowops.migrate_values.old_values import Source
from mlflowops.migrate_values.result import Result
from mlflowops.migrate_values.tables import defaults, explained, new_path

PROBE = re.compile("[pP]robe")
Step = Callable[[Source, Result], None]


class Peer(str, Enum):
    """A chart, or an operator, to migrate from."""

    official = "official"
    community = "community"
    bitnami = "bitnami"
    kubeflow = "kubeflow"
    opendatahub = "opendatahub"


KUBERNETES_AUTH: list[Step] = [
    database.from_uri,
    artifacts.from_uris,
    kubernetes_auth.login,
    kubernetes_auth.server,
    kubernetes_auth.image,
    server_values.volume,
    server_values.official_care,
]
STEPS: dict[Peer, list[Step]] = {
    Peer.official: [
        database.from_uri,
        artifacts.from_uris,
        login_values.official,
        server_values.official_image,
        server_values.volume,
        server_values.official_care,
    ],
    Peer.community: [
        database.community_mysql,
        database.community_login,
        database.inline_passwords,
        artifacts.community,
        login_values.community,
        server_values.image,
    ],
    Peer.bitnami: [
        database.in_the_release,
        database.inline_passwords,
        artifacts.bitnami,
        login_values.bitnami,
        server_values.image,
        server_values.bitnami_ingress,
        server_values.bitnami_network,
    ],
    Peer.kubeflow: KUBERNETES_AUTH,
    Peer.opendatahub: KUBERNETES_AUTH,
}


def translate(peer: Peer, old: dict[str, Any]) -> Result:
    """Translate values of another chart.

    Args:
        peer: the chart that they are for.
        old: its values, those that differ from its defaults; of Open Data Hub's operator the MLflow resource.

    Returns:
        Values of this chart, the keys that were left out, and the Secrets to make.
    """
    if peer is Peer.opendatahub:
        old = kubernetes_auth.values_of_resource(old)
    source, result = Source(old), Result()
    for key, more in defaults(peer.value).items():
        for path, value in more.items() if source.has(key) else ():
            source.setdefault(path, value)
    for step in [*STEPS[peer], environment.variables, server_values.options]:
        step(source, result)
    for path, value in source.rest():
        _plain(path, value, result)
    artifacts.enable(result)
    login_values.keys(result)
    return result


def _plain(path: str, value: Any, result: Result) -> None:
    """Move a key that has a new name. What is off needs no place, except a probe: it is always on here."""
    new = new_path(path)
    if new:
        result.set(new, value)
    elif value is not False or PROBE.search(path):
        key, instead = explained(path)
        result.left[key] = instead
