"""Which variables `mlflow.env` refuses: those that change the web server, or whom it trusts."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from render.chart import MLFLOW, Chart, Refused

REFUSED = [
    "FORWARDED_ALLOW_IPS", "PROXY_ALLOW_FROM", "SCRIPT_NAME", "SERVER_SOFTWARE", "REMOTE_ADDR",
    "REMOTE_USER", "HTTP_X_FORWARDED_FOR", "HTTP_AUTHORIZATION", "HTTP_HOST", "HTTPS",
    "WEB_CONCURRENCY", "PORT", "SENDFILE", "LISTEN_FDS", "NOTIFY_SOCKET", "GUNICORN_CMD_ARGS",
    "GUNICORN_FD", "UVICORN_FORWARDED_ALLOW_IPS", "UVICORN_PROXY_HEADERS", "UVICORN_ROOT_PATH",
    "UVICORN_UDS", "GRANIAN_HOST", "GRANIAN_URL_PATH_PREFIX", "MLFLOW_GUNICORN_OPTS",
    "MLFLOW_UVICORN_OPTS", "MLFLOW_WAITRESS_OPTS", "MLFLOW_HOST", "FLASK_DEBUG", "FLASK_APP",
    "WERKZEUG_DEBUG_PIN", "FASTAPI_ENV", "MLFLOW_AUTH_CONFIG_PATH",
    "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE", "MLFLOW_ENABLE_REMOTE_ASSISTANT",
    "MLFLOW_ENABLE_ASSISTANT_SANDBOX", "MLFLOW_SANDBOX_DOCKER_IMAGE",
    "MLFLOW_ASSISTANT_SANDBOX_CLI_IMAGE", "MLFLOW_BASIC_AUTH_FAIL_CLOSED",
    "MLFLOW_SERVER_ENABLE_GRAPHQL_AUTH", "PATH", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME",
    "PYTHONWARNINGS", "PYTHONUSERBASE", "_MLFLOW_STATIC_PREFIX", "_MLFLOW_INTERNAL_GATEWAY_AUTH_TOKEN",
    "_MLFLOW_AUTH_ADMIN_BOOTSTRAPPED", "PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir",
    "MLFLOW_REGISTRY_STORE_URI", "MLFLOW_WORKSPACE_STORE_URI", "MLFLOW_ARTIFACTS_ONLY",
    "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_KUBERNETES_LEAVING_FILE",
    "MLFLOW_KUBERNETES_SCHEMA_WAIT_SECONDS",
]  # fmt: skip
ALLOWED = [
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PYTHONHASHSEED", "PYTHONUNBUFFERED", "AWS_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "MLFLOW_ENABLE_AI_GATEWAY",
    "MLFLOW_TRACE_ARCHIVAL_CONFIG", "MLFLOW_HTTP_REQUEST_TIMEOUT",
    "MLFLOW_READ_REPLICA_BACKEND_STORE_URI", "MLFLOW_CRYPTO_KEK_VERSION",
    "MLFLOW_SERVER_X_FRAME_OPTIONS", "PGSSLROOTCERT", "PGAPPNAME", "LOKY_MAX_CPU_COUNT", "PORTAL",
    "SCRIPT_NAMES", "MY_GUNICORN_X", "TZ",
]  # fmt: skip
# Refused, and left by the launcher: the chart sets them, the launcher checks them itself, or no part of the
# server reads them from its environment.
NOT_REMOVED = {
    "MLFLOW_AUTH_CONFIG_PATH", "MLFLOW_BASIC_AUTH_FAIL_CLOSED", "MLFLOW_GUNICORN_OPTS", "MLFLOW_HOST",
    "MLFLOW_KUBERNETES_LEAVING_FILE", "MLFLOW_KUBERNETES_SCHEMA_WAIT_SECONDS",
    "MLFLOW_SERVER_ENABLE_GRAPHQL_AUTH", "MLFLOW_UVICORN_OPTS", "MLFLOW_WAITRESS_OPTS",
    "PATH", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONWARNINGS",
    "PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir", "GRANIAN_HOST", "GRANIAN_URL_PATH_PREFIX",
    "HTTPS", "HTTP_AUTHORIZATION", "HTTP_HOST", "HTTP_X_FORWARDED_FOR", "REMOTE_ADDR", "REMOTE_USER",
    "SERVER_SOFTWARE",
}  # fmt: skip
# Read by these packages' tools and examples, never by a server of the chart.
HARMLESS = {"PWD", "XDG_RUNTIME_DIR", "YOURAPPLICATION_SETTINGS"}


def refused(names: list[str], value: str = "x") -> set[str]:
    """Those of the variables that are refused, each with one sentence."""
    try:
        MLFLOW.render({"mlflow": {"env": dict.fromkeys(names, value)}})
    except Refused as refusal:
        found = re.findall(r"(?m)^mlflow: mlflow\.env\.(\w+): [^;]+; [^;]+\.$", str(refusal))
        assert len(found) == len(set(found))
        return set(found)
    return set()


def test_what_changes_the_web_server_is_refused() -> None:
    assert refused(REFUSED) == set(REFUSED)


def test_what_the_chart_computes_is_refused(chart: Chart) -> None:
    """Each variable of the table, with the key of the values that it comes from."""
    owned = yaml.safe_load((MLFLOW.folder / "validation/env-owned.yaml").read_text())
    with pytest.raises(Refused) as refusal:
        chart.render({"mlflow": {"env": dict.fromkeys(owned, "x")}})
    assert re.findall("(?m)^mlflow: .*$", str(refusal.value)) == [
        f"mlflow: mlflow.env.{name}: is computed by the chart; set {key} instead."
        for name, key in sorted(owned.items())
    ]


def test_what_does_not_is_allowed(chart: Chart) -> None:
    chart.render({"mlflow": {"env": dict.fromkeys(ALLOWED, "x")}})


@pytest.mark.parametrize("name", ["MLFLOW_BASIC_AUTH_FAIL_CLOSED", "MLFLOW_SERVER_ENABLE_GRAPHQL_AUTH"])
def test_a_check_can_be_switched_on_and_not_off(name: str) -> None:
    assert {value for value in ("true", "True", "1") if refused([name], value)} == set()
    assert {value for value in ("false", "False", "0", "", "no") if not refused([name], value)} == set()


@pytest.mark.parametrize("package", ["gunicorn", "uvicorn", "flask", "werkzeug"])
def test_every_variable_of_the_web_servers_is_known(package: str) -> None:
    """Read from their code: a variable of a new version is decided about before it has an effect."""
    spec = find_spec(package)
    assert spec and spec.origin
    code = "".join(path.read_text() for path in Path(spec.origin).parent.rglob("*.py"))
    names = set(re.findall(r"""os\.(?:environ(?:\.get|\.pop)?[\[(]|getenv\()\s*["']([A-Z][A-Z_]+)""", code))
    names |= set(re.findall(r"""["']([A-Z_]+)["'] (?:not )?in os\.environ""", code))
    assert names and names - HARMLESS == refused(sorted(names - HARMLESS))


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> re.Pattern[str]:
    """The variables that the launcher removes, whatever sets them: `mlflow.envFrom` for example."""
    monkeypatch.syspath_prepend(MLFLOW.folder / "files")
    from mlflow_kubernetes.server.main import REMOVED_VARIABLES

    return REMOVED_VARIABLES


def test_the_launcher_removes_what_the_chart_refuses(removed: re.Pattern[str]) -> None:
    """All but those that the launcher sets or checks itself, and those that nothing in the pod reads."""
    from mlflow_kubernetes import environment

    every_program = {*environment.REFUSED, *environment.REMOVED}
    assert {name for name in REFUSED if not removed.fullmatch(name)} - every_program == NOT_REMOVED
    assert refused(sorted(every_program)) == every_program


def test_the_chart_refuses_what_the_launcher_removes(removed: re.Pattern[str]) -> None:
    prefixes = re.search(r"\(([A-Z_|]+)\)_\.\*", removed.pattern)
    assert prefixes
    names = {f"{prefix}_ANY" for prefix in prefixes[1].split("|")}
    rest = removed.pattern.replace(prefixes[0], "").replace(".*", "ANY").split("|")
    names |= set(filter(None, rest))
    assert all(map(removed.fullmatch, names))
    assert refused(sorted(names)) == names
