"""A path prefix never decides whether MLflow asks for a login: what would is refused, in every spelling."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from sweep import sweep

from render.chart import MLFLOW, Json, Refused

LOGIN = {"auth": {"mode": "basic"}, "keys": {"fromSecret": {"enabled": True}}}
OPEN = ["/static", "/static-files", "/staticky", "/health", "/healthcare", "/favicon.ico", "/favicon.icons"]
OWN = ["/api", "/ajax-api", "/signup", "/gateway", "/v1", "/graphql", "/get-artifact", "/metrics", "/version"]
# Of /static, in which each is either written in another way or is no path prefix.
SPELLINGS = [
    "static", "/STATIC", "/static/", "//static", "/static//x", "/./static", "/x/../static", "/static/..",
    "/static/.", "/%73tatic", "/static%2Fx", "/static;x", "/static?x", "/static#x", "/static\\x", "/static x",
    "/static\n", "\n/static", "/static\t/x", "/{static}", "http://x/static",
]  # fmt: skip
MALFORMED = [
    "mlflow",
    "/",
    "//",
    "/mlflow/",
    "/mlflow//x",
    "/.",
    "/..",
    "/...",
    "/mlflow/./x",
    "/mlflöw",
    "/{x}",
]
FINE = [
    "",
    "/mlflow",
    "/tools/mlflow",
    "/team-a/ml.flow_2~x",
    "/mlflow/static",
    "/x/health",
    "/apis",
    "/.well",
    "/stat",
]


def refusal(prefix: str, more: Json | None = None) -> list[str]:
    """The sentences about a prefix."""
    try:
        MLFLOW.render({"mlflow": {"staticPrefix": prefix}, **(more or {})})
    except Refused as refused:
        return re.findall(r"(?m)^mlflow: mlflow\.staticPrefix: .*; .*\.$", str(refused))
    return []


@pytest.mark.parametrize("path", sweep(OPEN + OWN, 4))
def test_paths_of_mlflow_are_refused(path: str) -> None:
    """Alone and with more behind them, with a login and without."""
    for prefix in (path, f"{path}/mlflow", f"{path}/a/b"):
        assert len(refusal(prefix)) == len(refusal(prefix, LOGIN)) == 1, prefix


@pytest.mark.parametrize("prefix", sweep(SPELLINGS + MALFORMED, 4))
def test_a_prefix_is_a_plain_path(prefix: str) -> None:
    assert len(refusal(prefix)) == 1


@pytest.mark.parametrize("prefix", FINE)
def test_other_prefixes_are_fine(prefix: str) -> None:
    assert refusal(prefix, LOGIN) == []


def test_the_installed_mlflow_leaves_no_other_path_open() -> None:
    """Its own tests of prefixes, which a new version may extend."""
    spec = find_spec("mlflow")
    assert spec and spec.origin
    code = (Path(spec.origin).parent / "server/auth/__init__.py").read_text()
    (found,) = re.findall(r"(?m)^_UNPROTECTED_PATH_PREFIXES = \((.*)\)$", code)
    prefixes = re.findall(r'"([^"]+)"', found)
    assert len(prefixes) >= 3
    assert [prefix for prefix in prefixes if not refusal(f"{prefix}-x") or not refusal(prefix)] == []
