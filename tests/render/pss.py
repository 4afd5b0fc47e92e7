"""The restricted Pod Security Standard, as a list of what is wrong with a pod.

https://kubernetes.io/docs/concepts/security/pod-security-standards/ - the API server's own verdict is asked
for by tests/e2e/test_pod_security.py; this one needs no cluster.
"""

from collections.abc import Iterator
from typing import Any

VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
SECCOMP = {"RuntimeDefault", "Localhost"}
HOST = ("hostNetwork", "hostPID", "hostIPC")


def restricted(spec: dict[str, Any]) -> list[str]:
    """Everything in a pod spec that the restricted standard forbids; empty if it is fine."""
    return [*_pod(spec), *(wrong for each in _containers(spec) for wrong in _container(each, spec))]


def _containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        each for key in ("initContainers", "containers", "ephemeralContainers") for each in spec.get(key, [])
    ]


def _pod(spec: dict[str, Any]) -> Iterator[str]:
    security = spec.get("securityContext", {})
    yield from (key for key in HOST if spec.get(key))
    yield from (f"volume {each['name']}" for each in spec.get("volumes", []) if not VOLUMES & set(each))
    yield from (key for key in ("sysctls", "seLinuxOptions", "windowsOptions") if security.get(key))
    if security.get("runAsUser") == 0:
        yield "pod runs as user 0"


def _container(container: dict[str, Any], spec: dict[str, Any]) -> Iterator[str]:
    name = container["name"]
    own = container.get("securityContext", {})
    effective = {**spec.get("securityContext", {}), **own}
    capabilities = own.get("capabilities", {})
    if own.get("privileged"):
        yield f"{name}: privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{name}: allowPrivilegeEscalation"
    if "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield f"{name}: capabilities"
    if effective.get("runAsNonRoot") is not True or own.get("runAsUser") == 0:
        yield f"{name}: runAsNonRoot"
    if effective.get("seccompProfile", {}).get("type") not in SECCOMP:
        yield f"{name}: seccompProfile"
    if own.get("procMount", "Default") != "Default" or own.get("seLinuxOptions"):
        yield f"{name}: procMount or seLinuxOptions"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield f"{name}: hostPort"
