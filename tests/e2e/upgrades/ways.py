"""The ways that people deploy a chart, by the name of their tests, with what they type."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from e2e.upgrades.apply_way import SERVER_SIDE, ApplyWay
from e2e.upgrades.helm_way import HelmWay
from e2e.upgrades.helmfile_way import HelmfileWay
from e2e.upgrades.place import Place
from e2e.upgrades.way import Way

WAYS: dict[str, tuple[str, Callable[[Place, Path], Way]]] = {
    "helm-4": ("`helm upgrade`, Helm 4", HelmWay),
    "helm-3": ("`helm upgrade`, Helm 3", partial(HelmWay, first="helm3")),
    "helm-4-reuse-values": ("`helm upgrade --reuse-values`, Helm 4", partial(HelmWay, reuse=True)),
    "helm-3-reuse-values": (
        "`helm upgrade --reuse-values`, Helm 3",
        partial(HelmWay, first="helm3", reuse=True),
    ),
    "helm-3-then-4": (
        "`helm upgrade`, Helm 4 on a release of Helm 3",
        partial(HelmWay, first="helm3", then="helm"),
    ),
    "helmfile": ("`helmfile apply`", HelmfileWay),
    "apply": ("`kubectl apply`", ApplyWay),
    "apply-server-side": ("`kubectl apply --server-side`", partial(ApplyWay, options=SERVER_SIDE)),
    "helm-4-then-apply": (
        "`kubectl apply --server-side --force-conflicts` on a release of Helm 4",
        partial(ApplyWay, options=(*SERVER_SIDE, "--force-conflicts"), installed_by="helm"),
    ),
    "helm-3-then-apply": (
        "`kubectl apply --server-side --force-conflicts` on a release of Helm 3",
        partial(ApplyWay, options=(*SERVER_SIDE, "--force-conflicts"), installed_by="helm3"),
    ),
}
