"""What a process gets of its container's environment and command: Kubernetes puts variables into both."""

import copy
import json
import re

from render.chart import Json

# A reference or an escaped dollar sign, as k8s.io/kubernetes/third_party/forked/golang/expansion reads them.
REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
# Other containers come as a whole from the values, with references of their own.
OF_THE_CHART = {
    "mlflow", "schema", "metrics", "exporter", "jobs", "postgres", "retention", "backup", "restore",
    "drill", "smoke",
}  # fmt: skip


def expand(text: str, env: dict[str, str]) -> str:
    """`$(NAME)` becomes the variable if there is one before it, `$$` becomes `$`."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return env.get(found[1], found[0])

    return REFERENCE.sub(value, text)


def expanded(item: Json) -> Json:
    """The same object with what the processes of the chart's containers get."""
    item = copy.deepcopy(item)
    for container in containers(item):
        env: dict[str, str] = {}
        for entry in container.get("env", []):
            if "value" in entry:
                entry["value"] = expand(entry["value"], env)
            env[entry["name"]] = entry.get("value", f"<{entry['name']}>")
        for key in ("command", "args"):
            if key in container:
                container[key] = [expand(word, env) for word in container[key]]
    return item


def containers(item: Json) -> list[Json]:
    """Containers of the chart's own in an object that runs some."""
    spec = item.get("spec", {})
    spec = spec.get("jobTemplate", {"spec": spec})["spec"]
    spec = spec["template"]["spec"] if "template" in spec else spec
    found = spec.get("initContainers", []) + spec.get("containers", [])
    return [container for container in found if container["name"] in OF_THE_CHART]


def understood(item: Json) -> Json:
    """The same object with what the processes get, and the JSON among it parsed."""
    item = expanded(item)
    for container in containers(item):
        for entry in container.get("env", []):
            if entry["name"] in ("AUTH_PROVIDERS", "MLFLOW_KUBERNETES_OIDC_GROUPS"):
                entry["value"] = json.loads(entry["value"])
    return item
